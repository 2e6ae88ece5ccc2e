"""Tensors [C,H,W] of floats in [0,1], as the reference's code has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sealite
from conftest import COFFEE, MARKED, MESSAGE


def tensor_of(file: object) -> torch.Tensor:
    return torch.from_numpy(np.array(sealite.read_picture(file))).permute(2, 0, 1)  # type: ignore[arg-type]


def test_tensors_are_read_as_their_files(detector: sealite.Detector) -> None:
    expected = detector.detect(MARKED)
    eight = tensor_of(MARKED)
    floats = eight.float() / 255
    for tensor in (eight, floats, floats.double(), floats.contiguous(), floats.clone().requires_grad_()):
        assert detector.detect(tensor) == expected
    both = torch.stack([tensor_of(COFFEE), eight]).float() / 255
    assert detector.detect(both) == [detector.detect(COFFEE), expected]
    assert list(detector.detect_many([floats, MARKED])) == [expected, expected]


def test_marked_tensors_are_tensors(embedder: sealite.Embedder) -> None:
    eight = tensor_of(COFFEE)
    floats = eight.float() / 255
    wanted = torch.from_numpy(np.array(embedder.embed(COFFEE, MESSAGE).picture)).permute(2, 0, 1)
    marked = embedder.embed(floats, MESSAGE).picture
    assert marked.dtype == torch.float32
    assert marked.shape == floats.shape
    assert torch.equal((marked * 255).round().to(torch.uint8), wanted)
    assert torch.equal(embedder.embed(eight, MESSAGE).picture, wanted)
    assert torch.equal(eight, tensor_of(COFFEE))
    batch = embedder.embed(torch.stack([floats, floats]), MESSAGE).picture
    assert torch.equal(batch[1], marked)


def test_wrong_tensors_are_said(detector: sealite.Detector) -> None:
    eight = tensor_of(MARKED)
    wrong = [
        (eight.float(), "floats from .* expected 0 to 1"),
        (eight.permute(1, 2, 0), r"expected \[channels, height, width\]"),
        (eight.int(), "torch.int32"),
        (torch.full((3, 8, 8), float("nan")), "nan"),
    ]
    for tensor, words in wrong:
        with pytest.raises(sealite.Error, match=words) as caught:
            detector.detect(tensor)
        assert caught.value.code == sealite.ErrorCode.USAGE
