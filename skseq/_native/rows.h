// Functions of rows, whose result for a row does not depend on the rows beside it: a
// dense layer, a softmax, its logarithm, the cross-entropy with its gradient, and the
// normalization of a layer.

#pragma once

#include "products.h"
#include "recurrences.h"

namespace {

using skseq::DenseLayer;
using skseq::Labelled;
using skseq::Rows;
using skseq::Scaling;

// Rows that go through all weights together, while they are near the processor.
constexpr int64_t ROWS_AT_ONCE = 96;

class Dense {
 public:
  Dense(const Rows& rows, const DenseLayer& layer, int64_t n_rows)
      : rows_(rows),
        layer_(layer),
        n_blocks_((layer.n_units + WIDTH - 1) / WIDTH),
        first_packed_(n_rows <= FEW_ROWS ? layer.n_units / WIDTH : 0),
        is_kept_(n_rows > ROWS_AT_ONCE),
        packed_((is_kept_ ? n_blocks_ : TOGETHER) * WIDTH * rows.n_inputs),
        bias_(n_blocks_ * WIDTH) {
    if (!exists()) return;
    std::memcpy(bias_.get(), layer.bias, sizeof(float) * layer.n_units);
    if (is_kept_) pack(0, n_blocks_);
  }

  bool exists() const { return packed_.exists() && bias_.exists(); }

  void run(int64_t first, int64_t end, float* outputs) const {
    for (int64_t row = first; row < end; row += ROWS_AT_ONCE) {
      const int64_t n = end - row < ROWS_AT_ONCE ? end - row : ROWS_AT_ONCE;
      for (int64_t b = 0; b < n_blocks_; ++b) {
        if (!is_kept_ && b >= first_packed_ && place(b) == 0) {
          pack(b, b + TOGETHER < n_blocks_ ? b + TOGETHER : n_blocks_);
        }
        with_count<BLOCK>(n_vectors(b), [&](auto vectors) {
          in_tiles(n, [&](auto count, int64_t i) {
            tile<decltype(count)::value, decltype(vectors)::value>(row + i, b, outputs);
          });
        });
      }
    }
  }

 private:
  static constexpr int64_t WIDTH = BLOCK * LANES;
  // Blocks that are packed at once: their weights are near each other.
  static constexpr int64_t TOGETHER = 4;

  int64_t n_units(int64_t block) const {
    const int64_t left = layer_.n_units - block * WIDTH;
    return left < WIDTH ? left : WIDTH;
  }
  int64_t n_vectors(int64_t block) const {
    return (n_units(block) + LANES - 1) / LANES;
  }
  // Where a block is among those that are packed.
  int64_t place(int64_t block) const {
    return is_kept_ ? block : (block - first_packed_) % TOGETHER;
  }
  float* packed(int64_t block) const {
    return packed_.get() + place(block) * WIDTH * rows_.n_inputs;
  }

  void pack(int64_t first, int64_t end) const {
    for (int64_t k = 0; k < rows_.n_inputs; ++k) {
      const float* weights = layer_.kernel + k * layer_.n_units;
      for (int64_t b = first; b < end; ++b) {
        std::memcpy(packed(b) + k * n_vectors(b) * LANES, weights + b * WIDTH,
                    sizeof(float) * n_units(b));
      }
    }
  }

  template <int R, int N>
  SKSEQ_APART void tile(int64_t first, int64_t block, float* outputs) const {
    const bool is_packed = block >= first_packed_;
    const int64_t unit = block * WIDTH, width = is_packed ? N * LANES : layer_.n_units;
    const float* rows[R];
    Vector sums[R][N];
    for (int r = 0; r < R; ++r) {
      rows[r] = rows_.row(first + r);
      for (int j = 0; j < N; ++j) sums[r][j] = load(bias_.get() + unit + j * LANES);
    }
    add_product<R, N>(rows, 1, is_packed ? packed(block) : layer_.kernel + unit, width,
                      rows_.n_inputs, sums);
    for (int r = 0; r < R; ++r) {
      float* to = outputs + (first + r) * layer_.n_units + unit;
      for (int j = 0; j < N; ++j) {
        if (layer_.is_tanh) sums[r][j] = hyperbolic_tangent(sums[r][j]);
        store(to + j * LANES, sums[r][j], n_units(block) - j * LANES);
      }
    }
  }

  const Rows& rows_;
  const DenseLayer& layer_;
  const int64_t n_blocks_, first_packed_;
  const bool is_kept_;  // whether all blocks stay packed, to be gone through again
  Buffer packed_;
  Buffer bias_;
};

bool dense(const Rows& rows, const DenseLayer& layer, int64_t first, int64_t end,
           float* outputs) {
  const Dense dense(rows, layer, end - first);
  if (!dense.exists()) return false;
  dense.run(first, end, outputs);
  return true;
}

// Call body(place, count) for all of n numbers, a vector at a time.
template <class Body>
SKSEQ_INLINE void in_vectors(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) body(i, LANES);
  if (i < n) body(i, n - i);
}

// The sum of function(vector) over n numbers, always added up in the same order.
template <class Function>
SKSEQ_INLINE float summed(const float* numbers, int64_t n, Function function) {
  float parts[LANES];
  Vector sums = {};
  in_vectors(n, [&](int64_t i, int64_t count) {
    store(parts, function(load(numbers + i, count)));
    for (int64_t j = count; j < LANES; ++j) parts[j] = 0.0f;
    sums = sums + load(parts);
  });
  store(parts, sums);
  float sum = 0.0f;
  for (float part : parts) sum += part;
  return sum;
}

// The largest of n numbers that are not NaN.
SKSEQ_INLINE float largest(const float* numbers, int64_t n) {
  const float least = -__builtin_inff();
  Vector vector = filled(1.0f) * least;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const Vector x = load(numbers + i);
    vector = x > vector ? x : vector;
  }
  float parts[LANES], most = least;
  store(parts, vector);
  for (float part : parts) most = part > most ? part : most;
  for (; i < n; ++i) most = numbers[i] > most ? numbers[i] : most;
  return most;
}

SKSEQ_INLINE Vector power(Vector x) {
  const Exponential e = exponential(x);
  return fused(e.power, e.rest, e.power);
}

// The largest of n numbers, and the sum of the powers of all less this.
struct Normalizer {
  float most, sum;

  Normalizer(const float* numbers, int64_t n) : most(largest(numbers, n)) {
    sum = summed(numbers, n, [this](Vector x) { return power(x - most); });
  }
};

void log_softmax(const float* inputs, int64_t n, int64_t first, int64_t end,
                 float* outputs) {
  for (int64_t row = first; row < end; ++row) {
    const float* numbers = inputs + row * n;
    const Normalizer normalizer(numbers, n);
    const float most = normalizer.most;
    const float log_sum = static_cast<float>(__builtin_log(normalizer.sum));
    in_vectors(n, [&](int64_t i, int64_t count) {
      store(outputs + row * n + i, load(numbers + i, count) - most - log_sum, count);
    });
  }
}

void softmax(const float* inputs, int64_t n, int64_t first, int64_t end, float* outputs,
             double* log_sums) {
  for (int64_t row = first; row < end; ++row) {
    const float* numbers = inputs + row * n;
    const Normalizer normalizer(numbers, n);
    const float most = normalizer.most, factor = 1.0f / normalizer.sum;
    log_sums[row] = most + __builtin_log(normalizer.sum);
    in_vectors(n, [&](int64_t i, int64_t count) {
      const Vector x = load(numbers + i, count);
      store(outputs + row * n + i, power(x - most) * factor, count);
    });
  }
}

// The losses of rows, and two numbers of each for the gradient: the largest logit, and
// the sum of the powers of all logits less this.
void cross_entropy(const Labelled& rows, int64_t first, int64_t end, float* losses,
                   float* sums) {
  const int64_t n = rows.n_ids;
  for (int64_t row = first; row < end; ++row) {
    const float* logits = rows.logits + row * n;
    const Normalizer normalizer(logits, n);
    const float most = sums[2 * row] = normalizer.most;
    sums[2 * row + 1] = normalizer.sum;
    const float own = logits[rows.labels[row]] - most;
    losses[row] = static_cast<float>(__builtin_log(normalizer.sum)) - own;
    if (rows.smoothing == 0.0f) continue;
    const float mean = summed(logits, n, [&](Vector x) { return x - most; }) / n;
    losses[row] += rows.smoothing * (own - mean);
  }
}

void differentiate_cross_entropy(const Labelled& rows, const float* sums,
                                 const float* upstream, int64_t first, int64_t end,
                                 float* d_logits) {
  const int64_t n = rows.n_ids;
  for (int64_t row = first; row < end; ++row) {
    const float most = sums[2 * row], scale = upstream[row] / sums[2 * row + 1];
    const float everywhere = upstream[row] * rows.smoothing / n;
    float* to = d_logits + row * n;
    in_vectors(n, [&](int64_t i, int64_t count) {
      const Vector x = load(rows.logits + row * n + i, count);
      store(to + i, power(x - most) * scale - everywhere, count);
    });
    to[rows.labels[row]] -= upstream[row] * (1.0f - rows.smoothing);
  }
}

void normalize(const float* inputs, int64_t n, const Scaling& scaling, int64_t first,
               int64_t end, float* outputs) {
  for (int64_t row = first; row < end; ++row) {
    const float* numbers = inputs + row * n;
    const float mean = summed(numbers, n, [](Vector x) { return x; }) / n;
    const float squares =
        summed(numbers, n, [&](Vector x) { return (x - mean) * (x - mean); });
    const float deviation = __builtin_sqrtf(squares / n + scaling.epsilon);
    in_vectors(n, [&](int64_t i, int64_t count) {
      const Vector x = (load(numbers + i, count) - mean) / deviation;
      store(outputs + row * n + i,
            fused(x, load(scaling.gamma + i, count), load(scaling.beta + i, count)),
            count);
    });
  }
}

}  // namespace
