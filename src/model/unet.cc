#include "model/unet.h"

#include "base/error.h"

namespace sealite::model {
namespace {

void add_batch_norm(ParameterList& list, const std::string& name, std::int64_t channels) {
  list.norm(name, channels);
  list.add({name + ".running_mean", {channels}, 0, 0.2F, DType::kFloat32, "", true});
  list.add({name + ".running_var", {channels}, 1, 0.5F, DType::kFloat32, "", true});
  list.add({name + ".num_batches_tracked", {}, 1, 0, DType::kInt64, "", true});
}

void add_resnet_block(ParameterList& list, const std::string& name, std::int64_t in, std::int64_t out) {
  list.linear(name + "double_conv.0", {out, in, 3, 3}, false);
  add_batch_norm(list, name + "double_conv.1", out);
  list.linear(name + "double_conv.3", {out, out, 3, 3}, false);
  add_batch_norm(list, name + "double_conv.4", out);
  list.linear(name + "res_conv", {out, in, 1, 1});
}

}  // namespace

std::vector<Parameter> unet_parameters(const Card& card) {
  const EmbedderCard& embedder = card.embedder;
  if (embedder.normalization != "batch") {
    fail(ErrorCode::kUnsupported, "card '{}': embedder normalisation '{}'; only 'batch' is supported yet",
         card.name, embedder.normalization);
  }
  std::vector<std::int64_t> z;
  for (const std::int64_t mult : embedder.z_channels_mults) z.push_back(embedder.z_channels * mult);
  const std::string root = "embedder.unet.";
  const std::string message = "msg_processor.msg_embeddings.weight";
  ParameterList list;
  list.add({root + message, {2 * card.bits, card.hidden_size}, 0, 0.3F});
  add_resnet_block(list, root + "inc.", embedder.in_channels, z[0]);
  for (std::size_t i = 0; i + 1 < z.size(); ++i) {
    const std::string name = fmt::format("{}downs.{}.", root, i);
    list.linear(name + "down", {z[i + 1], z[i], 3, 3});
    add_resnet_block(list, name + "conv.", z[i + 1], z[i + 1]);
  }
  z.back() += card.hidden_size;
  for (std::int64_t i = 0; i < embedder.num_blocks; ++i) {
    add_resnet_block(list, fmt::format("{}bottleneck.model.{}.", root, i), z.back(), z.back());
  }
  for (std::size_t up = 0; up + 1 < z.size(); ++up) {
    const std::size_t from = z.size() - 1 - up;
    const std::string name = fmt::format("{}ups.{}.", root, up);
    list.linear(name + "up.upsample_block.2", {z[from - 1], 2 * z[from], 3, 3}, false);
    list.norm(name + "up.upsample_block.3", z[from - 1]);
    add_resnet_block(list, name + "conv.", z[from - 1], z[from - 1]);
  }
  list.linear(root + "outc", {embedder.out_channels, z[0], 1, 1});
  list.add({"embedder." + message, {2 * card.bits, card.hidden_size}, 0, 0, DType::kFloat32, root + message});
  return list.take();
}

}  // namespace sealite::model
