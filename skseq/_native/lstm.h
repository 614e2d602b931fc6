// An LSTM over whole sequences (Hochreiter & Schmidhuber 1997, with a forget gate).
// Gates are input, forget, cell and output in this order.

#pragma once

#include "products.h"
#include "row_blocks.h"

namespace {

using skseq::LstmGradients;
using skseq::LstmState;
using skseq::LstmWeights;

constexpr int64_t N_GATES = 4;

// Per vector of units and step: the four gates and the memory after it.
constexpr int64_t N_TRACED = 5;

class Lstm {
 public:
  Lstm(const Sequences& sequences, const Inputs& inputs, const LstmWeights& weights,
       const LstmState& state)
      : seq_(sequences),
        inputs_(inputs),
        state_(state),
        panels_{N_GATES, sequences.n_units},
        n_panels_(panels_.count()),
        kernel_(panels_.size(sequences.n_features)),
        constants_kernel_(panels_.size(sequences.n_constants)),
        recurrent_kernel_(panels_.size(sequences.n_units)),
        bias_(panels_.size(1)),
        biases_(panels_.size(MOST_ROWS)),
        memories_(MOST_ROWS * n_panels_ * LANES) {
    if (!exists()) return;
    panels_.pack(weights.kernel, seq_.n_features, kernel_.get());
    panels_.pack(weights.constants_kernel, seq_.n_constants, constants_kernel_.get());
    panels_.pack(weights.recurrent_kernel, seq_.n_units, recurrent_kernel_.get());
    panels_.pack(weights.bias, 1, bias_.get());
  }

  bool exists() const {
    return kernel_.exists() && constants_kernel_.exists() &&
           recurrent_kernel_.exists() && bias_.exists() && biases_.exists() &&
           memories_.exists();
  }

  void run(float* outputs, float* trace) {
    clear_padding(seq_, seq_.n_units, outputs);
    for_each_block(seq_, [&](const Block& block) {
      start(block);
      int64_t n = block.n_rows;
      for (int64_t t = 0; t < block.longest(); ++t) {
        n = block.running(n, t);
        advance(point(block, n, t, outputs, trace), n);
      }
    });
  }

 private:
  // Where the rows' numbers of one step are.
  struct Step {
    const float* frames[MOST_ROWS];
    const float* before[MOST_ROWS];
    float* outputs[MOST_ROWS];
    float* traces[MOST_ROWS];
    bool is_traced;
  };

  // Take the state, and compute what the constants and the bias give to the gates.
  void start(const Block& block) {
    const int64_t units = seq_.n_units, padded = n_panels_ * LANES;
    for (int64_t r = 0; r < block.n_rows; ++r) {
      std::memcpy(memories_.get() + r * padded, state_.memory + block.rows[r] * units,
                  sizeof(float) * units);
    }
    const float* rows[MOST_ROWS];
    for (int64_t r = 0; r < block.n_rows; ++r) {
      rows[r] = inputs_.constants + block.rows[r] * seq_.n_constants;
    }
    for (int64_t p = 0; p < n_panels_; ++p) {
      in_tiles(block.n_rows, [&](auto count, int64_t first) {
        constexpr int R = decltype(count)::value;
        Vector sums[R][N_GATES];
        load_bias(sums, bias_.get() + p * panels_.width(), 0);
        add_product<R, N_GATES>(rows + first, 1,
                                panel(constants_kernel_, p, seq_.n_constants),
                                panels_.width(), seq_.n_constants, sums);
        for (int r = 0; r < R; ++r) {
          float* bias = biases_.get() + ((first + r) * n_panels_ + p) * panels_.width();
          for (int g = 0; g < N_GATES; ++g) store(bias + g * LANES, sums[r][g]);
        }
      });
    }
  }

  Step point(const Block& block, int64_t n, int64_t t, float* outputs,
             float* trace) const {
    Step step;
    step.is_traced = trace != nullptr;
    const int64_t units = seq_.n_units;
    for (int64_t r = 0; r < n; ++r) {
      step.frames[r] = inputs_.frames + block.frame(r, t) * seq_.n_features;
      step.outputs[r] = outputs + block.frame(r, t) * units;
      step.before[r] = t == 0 ? state_.output + block.rows[r] * units
                              : outputs + block.frame(r, t - 1) * units;
      if (trace == nullptr) continue;
      step.traces[r] = trace + block.step(r, t) * n_panels_ * N_TRACED * LANES;
    }
    return step;
  }

  void advance(const Step& step, int64_t n) {
    for (int64_t p = 0; p < n_panels_; ++p) {
      in_tiles(n, [&](auto count, int64_t first) {
        advance_tile<decltype(count)::value>(step, first, p);
      });
    }
  }

  template <int R>
  SKSEQ_APART void advance_tile(const Step& step, int64_t first, int64_t p) {
    const int64_t width = panels_.width(), distance = n_panels_ * width;
    Vector sums[R][N_GATES];
    load_bias(sums, biases_.get() + first * distance + p * width, distance);
    add_product<R, N_GATES>(step.frames + first, 1, panel(kernel_, p, seq_.n_features),
                            width, seq_.n_features, sums);
    add_product<R, N_GATES>(step.before + first, 1,
                            panel(recurrent_kernel_, p, seq_.n_units), width,
                            seq_.n_units, sums);
    for (int r = 0; r < R; ++r) finish(step, first + r, p, sums[r]);
  }

  // From the sums of row r and a vector of units to its outputs.
  SKSEQ_INLINE void finish(const Step& step, int64_t r, int64_t p,
                           const Vector (&sums)[N_GATES]) {
    float* at = memories_.get() + (r * n_panels_ + p) * LANES;
    const Vector input = sigmoid(sums[0]), forget = sigmoid(sums[1]);
    const Vector cell = hyperbolic_tangent(sums[2]), output = sigmoid(sums[3]);
    const Vector memory = fused(forget, load(at), input * cell);
    store(at, memory);
    store(step.outputs[r] + p * LANES, output * hyperbolic_tangent(memory),
          seq_.n_units - p * LANES);
    if (!step.is_traced) return;
    float* traced = step.traces[r] + p * N_TRACED * LANES;
    store(traced, input);
    store(traced + LANES, forget);
    store(traced + 2 * LANES, cell);
    store(traced + 3 * LANES, output);
    store(traced + 4 * LANES, memory);
  }

  template <int R>
  SKSEQ_INLINE static void load_bias(Vector (&sums)[R][N_GATES], const float* bias,
                              int64_t distance) {
    for (int r = 0; r < R; ++r) {
      for (int g = 0; g < N_GATES; ++g) {
        sums[r][g] = load(bias + r * distance + g * LANES);
      }
    }
  }

  const float* panel(const Buffer& weights, int64_t p, int64_t n_inputs) const {
    return weights.get() + p * n_inputs * panels_.width();
  }

  const Sequences& seq_;
  const Inputs& inputs_;
  const LstmState& state_;
  const Panels panels_;
  const int64_t n_panels_;
  Buffer kernel_, constants_kernel_, recurrent_kernel_, bias_;
  Buffer biases_;    // the bias, and what the constants add to it, by row of the block
  Buffer memories_;  // by row of the block
};

}  // namespace
