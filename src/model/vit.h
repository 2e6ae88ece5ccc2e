#pragma once

#include <cstdint>
#include <vector>

namespace sealite::model {

/// `extractor.params.encoder` of a card whose detector is a vision transformer (videoseal modules/vit.py:
/// ImageEncoderViT).
struct VitCard {
  std::int64_t embed_dim = 384;
  std::int64_t out_chans = 256;
  std::int64_t depth = 12;
  std::int64_t num_heads = 6;
  std::int64_t patch_size = 16;
  std::int64_t grid = 16;        // patches on a side of the trained picture
  std::int64_t mlp_dim = 1536;   // int(embed_dim * mlp_ratio)
  std::int64_t window_size = 0;  // 0: every block attends to the whole picture
  std::vector<std::int64_t> global_attn_indexes;
  bool qkv_bias = true;
  bool use_abs_pos = true;
  bool use_rel_pos = false;

  /// Side of the square that block `index` attends within.
  std::int64_t window(std::int64_t index) const;
};

}  // namespace sealite::model
