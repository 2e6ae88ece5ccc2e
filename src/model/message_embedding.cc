#include "model/message_embedding.h"

namespace sealite::model {
namespace {

using graph::Rows;
using graph::Source;
using graph::SourcePtr;

std::span<float> as_floats(MutableByteView bytes) {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

// Both read E a bit at a time, since their rows are its columns.
class MessageFilter : public Source {
 public:
  explicit MessageFilter(SourcePtr embeddings)
      : Source(DType::kFloat32, {embeddings->shape()[1], embeddings->shape()[0] / 2}),
        embeddings_(std::move(embeddings)) {}

  void read(Rows rows, MutableByteView out) const override {
    const auto values = as_floats(out);
    const auto hidden = static_cast<std::size_t>(shape()[0]);
    const auto bits = static_cast<std::size_t>(shape()[1]);
    const auto first = static_cast<std::size_t>(rows.begin);
    for (std::size_t bit = 0; bit < bits; ++bit) {
      const auto row = static_cast<std::int64_t>(2 * bit);
      const std::vector<float> pair = read_floats(*embeddings_, {row, row + 2});
      for (std::size_t h = 0; h * bits < values.size(); ++h)
        values[h * bits + bit] = pair[hidden + first + h] - pair[first + h];
    }
  }

 private:
  SourcePtr embeddings_;
};

class MessageBias : public Source {
 public:
  explicit MessageBias(SourcePtr embeddings)
      : Source(DType::kFloat32, {embeddings->shape()[1]}), embeddings_(std::move(embeddings)) {}

  void read(Rows rows, MutableByteView out) const override {
    const auto values = as_floats(out);
    std::vector<double> sums(values.size(), 0.0);
    for (std::int64_t row = 0; row < embeddings_->row_count(); row += 2) {
      const std::vector<float> zero_bit = read_floats(*embeddings_, {row, row + 1});
      for (std::size_t h = 0; h < sums.size(); ++h)
        sums[h] += static_cast<double>(zero_bit[static_cast<std::size_t>(rows.begin) + h]);
    }
    for (std::size_t h = 0; h < sums.size(); ++h) values[h] = static_cast<float>(sums[h]);
  }

 private:
  SourcePtr embeddings_;
};

}  // namespace

SourcePtr message_filter(SourcePtr embeddings) {
  return std::make_shared<MessageFilter>(std::move(embeddings));
}

SourcePtr message_bias(SourcePtr embeddings) {
  return std::make_shared<MessageBias>(std::move(embeddings));
}

}  // namespace sealite::model
