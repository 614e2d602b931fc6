// Runs a cell, an LSTM's or a GRU's, over whole sequences.

#pragma once

#include "products.h"
#include "row_blocks.h"

namespace {

template <class Cell>
class Run {
 public:
  Run(const Sequences& sequences, const Inputs& inputs, const Weights& weights,
      const State& state)
      : seq_(sequences),
        inputs_(inputs),
        state_(state),
        panels_{Cell::N_INPUT, sequences.n_units, Cell::FIRST_GATE},
        inner_panels_{Cell::N_RECURRENT, sequences.n_units, 0},
        n_panels_(panels_.count()),
        kernel_(panels_.size(sequences.n_features)),
        constants_kernel_(panels_.size(sequences.n_constants)),
        recurrent_kernel_(inner_panels_.size(sequences.n_units)),
        bias_(panels_.size(1)),
        inner_bias_(inner_panels_.size(1)),
        biases_(panels_.size(MOST_ROWS)),
        memories_(MOST_ROWS * n_panels_ * LANES) {
    if (!exists()) return;
    panels_.pack(weights.kernel, seq_.n_features, kernel_.get());
    panels_.pack(weights.constants_kernel, seq_.n_constants, constants_kernel_.get());
    inner_panels_.pack(weights.recurrent_kernel, seq_.n_units, recurrent_kernel_.get());
    panels_.pack(weights.bias, 1, bias_.get());
    if (Cell::N_BIASES == 1) return;
    const float* inner_bias = weights.bias + Cell::N_INPUT * seq_.n_units;
    inner_panels_.pack(inner_bias, 1, inner_bias_.get());
  }

  bool exists() const {
    const Buffer* const buffers[] = {&kernel_, &constants_kernel_, &recurrent_kernel_,
                                     &bias_,   &inner_bias_,       &biases_,
                                     &memories_};
    for (const Buffer* buffer : buffers) {
      if (!buffer->exists()) return false;
    }
    return true;
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
    const float* rows[MOST_ROWS];
    for (int64_t r = 0; r < block.n_rows; ++r) {
      rows[r] = inputs_.constants + block.rows[r] * seq_.n_constants;
      if (!Cell::HAS_MEMORY) continue;
      std::memcpy(memories_.get() + r * padded, state_.memory + block.rows[r] * units,
                  sizeof(float) * units);
    }
    for (int64_t p = 0; p < n_panels_; ++p) {
      in_tiles(block.n_rows, [&](auto count, int64_t first) {
        start_tile<decltype(count)::value>(rows + first, first, p);
      });
    }
  }

  template <int R>
  SKSEQ_APART void start_tile(const float* const* rows, int64_t first, int64_t p) {
    const int64_t width = panels_.width(), n = seq_.n_constants;
    Vector sums[R][Cell::N_INPUT];
    load_bias(sums, bias_.get() + p * width, 0);
    add_product<R, Cell::N_INPUT>(rows, 1, constants_kernel_.get() + p * n * width,
                                  width, n, sums);
    for (int r = 0; r < R; ++r) {
      float* bias = biases_.get() + ((first + r) * n_panels_ + p) * width;
      for (int g = 0; g < Cell::N_INPUT; ++g) store(bias + g * LANES, sums[r][g]);
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
      step.traces[r] = trace + block.step(r, t) * n_panels_ * Cell::N_TRACED * LANES;
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
    const int64_t width = panels_.width(), inner_width = inner_panels_.width();
    const int64_t n_features = seq_.n_features, units = seq_.n_units;
    Vector sums[R][Cell::N_INPUT], inner[R][Cell::N_RECURRENT];
    load_bias(sums, biases_.get() + (first * n_panels_ + p) * width, n_panels_ * width);
    add_product<R, Cell::N_INPUT>(step.frames + first, 1,
                                  kernel_.get() + p * n_features * width, width,
                                  n_features, sums);
    Cell::enter(sums, inner_bias_.get() + p * inner_width, inner);
    add_product<R, Cell::N_RECURRENT>(step.before + first, 1,
                                      recurrent_kernel_.get() + p * units * inner_width,
                                      inner_width, units, inner);
    for (int r = 0; r < R; ++r) finish(step, first + r, p, sums[r], inner[r]);
  }

  // From the sums of row r and a vector of units to its outputs.
  SKSEQ_INLINE void finish(const Step& step, int64_t r, int64_t p,
                           const Vector (&sums)[Cell::N_INPUT],
                           const Vector (&inner)[Cell::N_RECURRENT]) {
    const int64_t unit = p * LANES, left = seq_.n_units - unit;
    float* at = memories_.get() + r * n_panels_ * LANES + unit;
    Vector memory = Cell::HAS_MEMORY ? load(at) : load(step.before[r] + unit, left);
    Vector traced[Cell::N_TRACED];
    store(step.outputs[r] + unit, Cell::finish(sums, inner, memory, traced), left);
    if (Cell::HAS_MEMORY) store(at, memory);
    if (!step.is_traced) return;
    float* trace = step.traces[r] + p * Cell::N_TRACED * LANES;
    for (int i = 0; i < Cell::N_TRACED; ++i) store(trace + i * LANES, traced[i]);
  }

  template <int R>
  SKSEQ_INLINE static void load_bias(Vector (&sums)[R][Cell::N_INPUT],
                                     const float* bias, int64_t distance) {
    for (int r = 0; r < R; ++r) {
      for (int g = 0; g < Cell::N_INPUT; ++g) {
        sums[r][g] = load(bias + r * distance + g * LANES);
      }
    }
  }

  const Sequences& seq_;
  const Inputs& inputs_;
  const State& state_;
  const Panels panels_, inner_panels_;
  const int64_t n_panels_;
  Buffer kernel_, constants_kernel_, recurrent_kernel_, bias_, inner_bias_;
  Buffer biases_;    // the bias, and what the constants add to it, by row of the block
  Buffer memories_;  // by row of the block
};

}  // namespace
