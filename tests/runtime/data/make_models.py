#!/usr/bin/env python3
"""Writes the tiny models beside it: pip install ai-edge-litert==2.3.0 numpy, then run it.

two_signatures.tflite  "scale": x[1,4] -> y = 2x; "shift": a[2,3], b[2,3] -> sum, difference
dynamic.tflite         "serve": x[-1,2,3] -> y = (x * w) @ m, fully connected; placeholder batch 1
mirror_pad.tflite      "serve": x[1,3] -> y[1,7], an operator that XNNPACK 2.3.0 does not take
no_signature.tflite    the same without a signature, as older converters write
int32.tflite           "serve": x[2] int32 -> y[2] int32
broken.tflite          "serve": RESHAPE of 4 elements to 5: a valid file that no runtime can prepare
"""
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as s

OPTIONS = s.BuiltinOptions


class Writer:
    def __init__(self):
        self.model = s.ModelT()
        self.model.version = 3
        self.model.operatorCodes, self.model.subgraphs, self.model.signatureDefs = [], [], []
        self.model.buffers = [s.BufferT()]

    def graph(self, key):
        self.g = s.SubGraphT()
        self.g.name = key.encode()
        self.g.tensors, self.g.operators, self.g.inputs, self.g.outputs = [], [], [], []
        self.signature = s.SignatureDefT()
        self.signature.signatureKey = key.encode()
        self.signature.subgraphIndex = len(self.model.subgraphs)
        self.signature.inputs, self.signature.outputs = [], []
        self.model.subgraphs.append(self.g)
        self.model.signatureDefs.append(self.signature)

    def tensor(self, name, shape, kind=s.TensorType.FLOAT32, data=None, free=None):
        t = s.TensorT()
        t.name, t.shape, t.type, t.buffer, t.hasRank = name.encode(), list(shape), kind, 0, True
        if free is not None:
            t.shapeSignature = list(free)
        if data is not None:
            buffer = s.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), dtype=np.uint8)
            t.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.g.tensors.append(t)
        return len(self.g.tensors) - 1

    def constant(self, name, array):
        kind = {"float32": s.TensorType.FLOAT32, "int32": s.TensorType.INT32}[array.dtype.name]
        return self.tensor(name, array.shape, kind, array)

    def op(self, code, inputs, outputs, options_type=0, options=None):
        c = s.OperatorCodeT()
        c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), 1
        o = s.OperatorT()
        o.opcodeIndex, o.inputs, o.outputs = len(self.model.operatorCodes), inputs, outputs
        o.builtinOptionsType, o.builtinOptions = options_type, options
        self.model.operatorCodes.append(c)
        self.g.operators.append(o)

    def _map(self, names):
        maps = []
        for name, index in names.items():
            m = s.TensorMapT()
            m.name, m.tensorIndex = name.encode(), index
            maps.append(m)
        return maps

    def ends(self, inputs, outputs):
        self.signature.inputs, self.signature.outputs = self._map(inputs), self._map(outputs)
        self.g.inputs, self.g.outputs = list(inputs.values()), list(outputs.values())

    def save(self, name):
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        pathlib.Path(__file__).with_name(name).write_bytes(bytes(builder.Output()))


w = Writer()
w.graph("scale")
x, y = w.tensor("t_x", [1, 4]), w.tensor("t_y", [1, 4])
w.op(s.BuiltinOperator.MUL, [x, w.constant("two", np.float32([2]))], [y], OPTIONS.MulOptions, s.MulOptionsT())
w.ends({"x": x}, {"y": y})
w.graph("shift")
a, b = w.tensor("t_a", [2, 3]), w.tensor("t_b", [2, 3])
p, m = w.tensor("t_p", [2, 3]), w.tensor("t_m", [2, 3])
w.op(s.BuiltinOperator.ADD, [a, b], [p], OPTIONS.AddOptions, s.AddOptionsT())
w.op(s.BuiltinOperator.SUB, [a, b], [m], OPTIONS.SubOptions, s.SubOptionsT())
w.ends({"a": a, "b": b}, {"sum": p, "difference": m})
w.save("two_signatures.tflite")

w = Writer()
w.graph("serve")
x = w.tensor("t_x", [1, 2, 3], free=[-1, 2, 3])
h = w.tensor("t_h", [1, 2, 3], free=[-1, 2, 3])
y = w.tensor("t_y", [1, 2, 2], free=[-1, 2, 2])
fc = s.FullyConnectedOptionsT()
fc.keepNumDims = True
w.op(s.BuiltinOperator.MUL, [x, w.constant("w", np.float32([1, 10, 100]))], [h], OPTIONS.MulOptions, s.MulOptionsT())
w.op(s.BuiltinOperator.FULLY_CONNECTED,
     [h, w.constant("m", np.float32([[1, 1, 1], [1, -1, 0]])), w.constant("bias", np.float32([0.5, 0]))], [y],
     OPTIONS.FullyConnectedOptions, fc)
w.ends({"x": x}, {"y": y})
w.save("dynamic.tflite")

w = Writer()
w.graph("serve")
x, y = w.tensor("t_x", [1, 3]), w.tensor("t_y", [1, 7])
pad = s.MirrorPadOptionsT()
pad.mode = s.MirrorPadMode.REFLECT
w.op(s.BuiltinOperator.MIRROR_PAD, [x, w.constant("pads", np.int32([[0, 0], [2, 2]]))], [y],
     OPTIONS.MirrorPadOptions, pad)
w.ends({"x": x}, {"y": y})
w.save("mirror_pad.tflite")
w.model.signatureDefs = []
w.save("no_signature.tflite")

w = Writer()
w.graph("serve")
x, y = w.tensor("t_x", [2], s.TensorType.INT32), w.tensor("t_y", [2], s.TensorType.INT32)
w.op(s.BuiltinOperator.ADD, [x, w.constant("one", np.int32([1]))], [y], OPTIONS.AddOptions, s.AddOptionsT())
w.ends({"x": x}, {"y": y})
w.save("int32.tflite")

w = Writer()
w.graph("serve")
x, y = w.tensor("t_x", [4]), w.tensor("t_y", [5])
w.op(s.BuiltinOperator.RESHAPE, [x, w.constant("shape", np.int32([5]))], [y], OPTIONS.ReshapeOptions,
     s.ReshapeOptionsT())
w.ends({"x": x}, {"y": y})
w.save("broken.tflite")
