// The gradients of a cell's run over whole sequences, from what the run has traced.

#pragma once

#include "products.h"
#include "row_blocks.h"

namespace {

// Gradients of gates, per vector of units.
constexpr int64_t SLOT_WIDTH = 4 * LANES;

template <class Cell>
class Gradient {
 public:
  Gradient(const Sequences& sequences, const Inputs& inputs, const Weights& weights,
           const State& state)
      : seq_(sequences),
        inputs_(inputs),
        state_(state),
        panels_{Cell::N_INPUT, sequences.n_units, Cell::FIRST_GATE},
        inner_panels_{Cell::N_RECURRENT, sequences.n_units, 0},
        n_panels_(panels_.count()),
        padded_(n_panels_ * LANES),
        to_outputs_{inner_panels_, sequences.n_units},
        to_frames_{panels_, sequences.n_features},
        to_constants_{panels_, sequences.n_constants},
        of_outputs_{sequences.n_units, MOST_SLOTS},
        of_frames_{sequences.n_features, MOST_SLOTS},
        of_constants_{sequences.n_constants, MOST_SLOTS},
        recurrent_kernel_(to_outputs_.size()),
        kernel_(to_frames_.size()),
        constants_kernel_(to_constants_.size()),
        gates_(MOST_SLOTS * n_panels_ * SLOT_WIDTH),
        biases_(MOST_SLOTS * n_panels_ * SLOT_WIDTH),
        before_(of_outputs_.size()),
        frames_(of_frames_.size()),
        constants_(of_constants_.size()),
        d_outputs_(MOST_ROWS * padded_),
        handed_(MOST_ROWS * padded_),
        d_frames_(MOST_SLOTS * to_frames_.padded()),
        d_constants_(MOST_SLOTS * to_constants_.padded()),
        d_recurrent_kernel_(inner_panels_.size(of_outputs_.n_stored())),
        d_kernel_(panels_.size(of_frames_.n_stored())),
        d_constants_kernel_(panels_.size(of_constants_.n_stored())),
        d_bias_(n_panels_ * SLOT_WIDTH) {
    if (!exists()) return;
    to_outputs_.pack(weights.recurrent_kernel, recurrent_kernel_.get());
    to_frames_.pack(weights.kernel, kernel_.get());
    to_constants_.pack(weights.constants_kernel, constants_kernel_.get());
  }

  bool exists() const {
    const Buffer* const buffers[] = {
        &recurrent_kernel_, &kernel_, &constants_kernel_, &gates_, &biases_, &before_,
        &frames_, &constants_, &d_outputs_, &handed_, &d_frames_, &d_constants_,
        &d_recurrent_kernel_, &d_kernel_, &d_constants_kernel_, &d_bias_,
    };
    for (const Buffer* buffer : buffers) {
      if (!buffer->exists()) return false;
    }
    return true;
  }

  void run(const float* outputs, const float* trace, const float* upstream,
           const Gradients& gradients) {
    if (gradients.frames != nullptr) {
      clear_padding(seq_, seq_.n_features, gradients.frames);
    }
    for_each_block(seq_, [&](const Block& block) {
      d_outputs_.clear();
      handed_.clear();
      biases_.clear();
      for (int64_t end = block.longest(); end > 0;) {
        end = collect(block, end, outputs, trace, upstream);
        add_weights(gradients.frames);
      }
      add_constants(block, gradients.constants);
      add_bias(block);
      write_state(block, gradients);
    });
    write_weights(gradients);
  }

 private:
  // Go back from the step before `end` as far as there are slots; returns the last
  // step.
  int64_t collect(const Block& block, int64_t end, const float* outputs,
                  const float* trace, const float* upstream) {
    int64_t n = 0;
    n_slots_ = 0;
    for (; end > 0; --end) {
      const int64_t t = end - 1;
      n = block.running(n, t);
      if (n_slots_ + n > MOST_SLOTS) break;
      for (int64_t r = 0; r < n; ++r) {
        const int64_t slot = n_slots_ + r;
        const float* before = outputs_before(block, r, t, outputs);
        retreat(block, r, t, slot, before, trace, upstream);
        of_outputs_.put(before, slot, before_.get());
        places_[slot] = block.frame(r, t);
        of_frames_.put(inputs_.frames + places_[slot] * seq_.n_features, slot,
                       frames_.get());
      }
      to_outputs_.multiply(inner_gates() + n_slots_ * SLOT_WIDTH, MOST_SLOTS,
                           SLOT_WIDTH, n, recurrent_kernel_.get(), d_outputs_.get());
      n_slots_ += n;
    }
    return end;
  }

  const float* inner_gates() const { return gates_.get() + Cell::OFFSET * LANES; }

  const float* outputs_before(const Block& block, int64_t r, int64_t t,
                              const float* outputs) const {
    if (t == 0) return state_.output + block.rows[r] * seq_.n_units;
    return outputs + block.frame(r, t - 1) * seq_.n_units;
  }

  // Gradients of the gates of row r at step t, and of what was handed to the step.
  void retreat(const Block& block, int64_t r, int64_t t, int64_t slot,
               const float* before, const float* trace, const float* upstream) {
    constexpr int N = Cell::N_TRACED;
    const int64_t n_traced = n_panels_ * N * LANES, units = seq_.n_units;
    const float* at = trace + block.step(r, t) * n_traced;
    if (Cell::HAS_MEMORY && t == 0) before = state_.memory + block.rows[r] * units;
    upstream += block.frame(r, t) * units;
    for (int64_t p = 0; p < n_panels_; ++p, at += N * LANES) {
      const int64_t unit = p * LANES, left = units - unit;
      const bool is_traced = Cell::HAS_MEMORY && t > 0;
      const Vector memory = is_traced ? load(at - n_traced + (N - 1) * LANES)
                                      : load(before + unit, left);
      Vector traced[N], d_gates[4];
      for (int i = 0; i < N; ++i) traced[i] = load(at + i * LANES);
      float* handed = handed_.get() + r * padded_ + unit;
      Vector passed = load(handed);
      const Vector d_output =
          load(d_outputs_.get() + r * padded_ + unit) + load(upstream + unit, left);
      Cell::retreat(traced, memory, d_output, passed, d_gates);
      store(handed, passed);
      float* gates = gates_.get() + (p * MOST_SLOTS + slot) * SLOT_WIDTH;
      float* biases = biases_.get() + (p * MOST_SLOTS + r) * SLOT_WIDTH;
      for (int g = 0; g < 4; ++g, gates += LANES, biases += LANES) {
        store(gates, d_gates[g]);
        store(biases, load(biases) + d_gates[g]);
      }
    }
  }

  // Add what the slots give to the weights, and write what they give to the frames.
  void add_weights(float* d_frames) {
    of_outputs_.multiply<Cell::N_RECURRENT>(before_.get(), inner_gates(), SLOT_WIDTH,
                                            n_slots_, n_panels_,
                                            d_recurrent_kernel_.get());
    of_frames_.multiply<Cell::N_INPUT>(frames_.get(), gates_.get(), SLOT_WIDTH,
                                       n_slots_, n_panels_, d_kernel_.get());
    if (d_frames == nullptr || seq_.n_features == 0) return;
    to_frames_.multiply(gates_.get(), MOST_SLOTS, SLOT_WIDTH, n_slots_, kernel_.get(),
                        d_frames_.get());
    for (int64_t slot = 0; slot < n_slots_; ++slot) {
      std::memcpy(d_frames + places_[slot] * seq_.n_features,
                  d_frames_.get() + slot * to_frames_.padded(),
                  sizeof(float) * seq_.n_features);
    }
  }

  // The same for the constants, to which all steps of a row give together.
  void add_constants(const Block& block, float* d_constants) {
    if (seq_.n_constants == 0) return;
    const int64_t n = seq_.n_constants;
    for (int64_t r = 0; r < block.n_rows; ++r) {
      of_constants_.put(inputs_.constants + block.rows[r] * n, r, constants_.get());
    }
    of_constants_.multiply<Cell::N_INPUT>(constants_.get(), biases_.get(), SLOT_WIDTH,
                                          block.n_rows, n_panels_,
                                          d_constants_kernel_.get());
    to_constants_.multiply(biases_.get(), MOST_SLOTS, SLOT_WIDTH, block.n_rows,
                           constants_kernel_.get(), d_constants_.get());
    for (int64_t r = 0; r < block.n_rows; ++r) {
      std::memcpy(d_constants + block.rows[r] * n,
                  d_constants_.get() + r * to_constants_.padded(), sizeof(float) * n);
    }
  }

  void add_bias(const Block& block) {
    for (int64_t p = 0; p < n_panels_; ++p) {
      for (int64_t r = 0; r < block.n_rows; ++r) {
        for (int64_t g = 0; g < SLOT_WIDTH; g += LANES) {
          float* bias = d_bias_.get() + p * SLOT_WIDTH + g;
          store(bias, load(bias) +
                          load(biases_.get() + (p * MOST_SLOTS + r) * SLOT_WIDTH + g));
        }
      }
    }
  }

  void write_state(const Block& block, const Gradients& gradients) {
    for (int64_t r = 0; r < block.n_rows; ++r) {
      for (int64_t unit = 0; unit < seq_.n_units; unit += LANES) {
        const int64_t to = block.rows[r] * seq_.n_units + unit;
        const int64_t left = seq_.n_units - unit;
        const Vector handed = load(handed_.get() + r * padded_ + unit);
        Vector d_output = load(d_outputs_.get() + r * padded_ + unit);
        if (Cell::HAS_MEMORY) {
          store(gradients.memory + to, handed, left);
        } else {
          d_output = d_output + handed;
        }
        store(gradients.output + to, d_output, left);
      }
    }
  }

  void write_weights(const Gradients& gradients) const {
    const int64_t width = panels_.width(), inner_width = inner_panels_.width();
    panels_.unpack(d_kernel_.get(), seq_.n_features, of_frames_.n_stored(), width,
                   gradients.kernel);
    panels_.unpack(d_constants_kernel_.get(), seq_.n_constants,
                   of_constants_.n_stored(), width, gradients.constants_kernel);
    inner_panels_.unpack(d_recurrent_kernel_.get(), seq_.n_units,
                         of_outputs_.n_stored(), inner_width,
                         gradients.recurrent_kernel);
    panels_.unpack(d_bias_.get(), 1, 1, SLOT_WIDTH, gradients.bias);
    if (Cell::N_BIASES == 1) return;
    inner_panels_.unpack(d_bias_.get() + Cell::OFFSET * LANES, 1, 1, SLOT_WIDTH,
                         gradients.bias + Cell::N_INPUT * seq_.n_units);
  }

  const Sequences& seq_;
  const Inputs& inputs_;
  const State& state_;
  const Panels panels_, inner_panels_;
  const int64_t n_panels_, padded_;
  const Transposed to_outputs_, to_frames_, to_constants_;
  const Collected of_outputs_, of_frames_, of_constants_;
  Buffer recurrent_kernel_, kernel_, constants_kernel_;  // transposed
  Buffer gates_;            // gradients of the gates, by panel and slot
  Buffer biases_;           // their sums, by panel and row of the block
  Buffer before_, frames_;  // inputs of the slots
  Buffer constants_;        // by row of the block, like the next two
  Buffer d_outputs_, handed_;
  Buffer d_frames_;     // by slot
  Buffer d_constants_;  // by row of the block
  Buffer d_recurrent_kernel_, d_kernel_, d_constants_kernel_, d_bias_;
  int64_t places_[MOST_SLOTS], n_slots_ = 0;  // the frames of the slots
};

}  // namespace
