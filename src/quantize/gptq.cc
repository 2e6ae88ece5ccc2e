#include "quantize/gptq.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "evaluate/im2col.h"

namespace sealite::quantize {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using evaluate::Tensor;

constexpr std::int64_t kMaxInputs = 6144;
// Share of the mean diagonal that is added to it: few pictures leave directions that were never seen.
constexpr float kDamping = 0.01F;

// Sum over all input rows x of x^T x.
Matrix second_moments(const graph::Node& node, const Tensor& input, const Tensor& weights,
                      std::int64_t inputs) {
  Matrix moments = Matrix::Zero(inputs, inputs);
  const auto add = [&](const float* rows, std::int64_t count) {
    const Eigen::Map<const Matrix> x(rows, count, inputs);
    moments.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose());
  };
  if (const auto* conv = std::get_if<graph::Conv2D>(&node.op)) {
    const evaluate::Im2col windows(*conv, input.shape, weights.shape);
    std::vector<float> line(static_cast<std::size_t>(windows.output_width() * inputs));
    for (std::int64_t i = 0; i < windows.line_count(); ++i) {
      windows.gather(input, i, line);
      add(line.data(), windows.output_width());
    }
  } else {
    add(input.values.data(), static_cast<std::int64_t>(input.values.size()) / inputs);
  }
  return moments.selfadjointView<Eigen::Lower>();
}

// The upper Cholesky factor of the inverse of the damped moments.
Matrix inverse_factor(Matrix moments) {
  const float damping = std::max(kDamping * moments.diagonal().mean(), 1e-12F);
  moments.diagonal().array() += damping;
  const Matrix inverse = moments.llt().solve(Matrix::Identity(moments.rows(), moments.cols()));
  return inverse.llt().matrixU();
}

void round_row(std::span<float> row, const Matrix& factor, float scale, std::int32_t limit,
               std::int8_t* out) {
  const auto bound = static_cast<float>(limit);
  const auto count = static_cast<Eigen::Index>(row.size());
  Eigen::Map<Eigen::RowVectorXf> rest(row.data(), count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const float integer = std::nearbyint(std::clamp(rest[i] / scale, -bound, bound));
    out[i] = static_cast<std::int8_t>(integer);
    const float error = (rest[i] - integer * scale) / factor(i, i);
    rest.tail(count - i - 1) -= error * factor.row(i).tail(count - i - 1);
  }
}

}  // namespace

std::optional<std::vector<std::int8_t>> round_compensated(const graph::Node& node, const Tensor& input,
                                                          const Tensor& weights,
                                                          const std::vector<float>& scales,
                                                          std::int32_t limit) {
  const auto inputs = static_cast<std::int64_t>(weights.values.size() / scales.size());
  if (inputs > kMaxInputs) return std::nullopt;
  const Matrix factor = inverse_factor(second_moments(node, input, weights, inputs));
  std::vector<float> rest = weights.values;
  std::vector<std::int8_t> integers(rest.size());
  const auto length = static_cast<std::size_t>(inputs);
  parallel_for(scales.size(), [&](std::size_t row) {
    round_row(std::span(rest).subspan(row * length, length), factor, scales[row], limit,
              &integers[row * length]);
  });
  return integers;
}

}  // namespace sealite::quantize
