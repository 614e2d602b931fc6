// The gradients of an LSTM over whole sequences, from what its run has traced.

#pragma once

#include "lstm.h"

namespace {

class LstmGradient {
 public:
  LstmGradient(const Sequences& sequences, const Inputs& inputs,
               const LstmWeights& weights, const LstmState& state)
      : seq_(sequences),
        inputs_(inputs),
        state_(state),
        panels_{N_GATES, sequences.n_units},
        n_panels_(panels_.count()),
        padded_(n_panels_ * LANES),
        to_outputs_{panels_, sequences.n_units},
        to_frames_{panels_, sequences.n_features},
        to_constants_{panels_, sequences.n_constants},
        of_outputs_{sequences.n_units, MOST_SLOTS},
        of_frames_{sequences.n_features, MOST_SLOTS},
        of_constants_{sequences.n_constants, MOST_SLOTS},
        recurrent_kernel_(to_outputs_.size()),
        kernel_(to_frames_.size()),
        constants_kernel_(to_constants_.size()),
        gates_(MOST_SLOTS * to_outputs_.n_sums()),
        biases_(MOST_SLOTS * to_outputs_.n_sums()),
        before_(of_outputs_.size()),
        frames_(of_frames_.size()),
        constants_(of_constants_.size()),
        d_outputs_(MOST_ROWS * padded_),
        d_memories_(MOST_ROWS * padded_),
        d_frames_(MOST_SLOTS * to_frames_.padded()),
        d_constants_(MOST_SLOTS * to_constants_.padded()),
        d_recurrent_kernel_(panels_.size(of_outputs_.n_stored())),
        d_kernel_(panels_.size(of_frames_.n_stored())),
        d_constants_kernel_(panels_.size(of_constants_.n_stored())),
        d_bias_(panels_.size(1)) {
    if (!exist()) return;
    to_outputs_.pack(weights.recurrent_kernel, recurrent_kernel_.get());
    to_frames_.pack(weights.kernel, kernel_.get());
    to_constants_.pack(weights.constants_kernel, constants_kernel_.get());
  }

  bool exist() const {
    const Buffer* const buffers[] = {
        &recurrent_kernel_, &kernel_, &constants_kernel_, &gates_, &biases_,
        &before_, &frames_, &constants_, &d_outputs_, &d_memories_, &d_frames_,
        &d_constants_, &d_recurrent_kernel_, &d_kernel_, &d_constants_kernel_, &d_bias_,
    };
    for (const Buffer* buffer : buffers) {
      if (!buffer->exists()) return false;
    }
    return true;
  }

  void run(const float* outputs, const float* trace, const float* upstream,
           const LstmGradients& gradients) {
    if (gradients.frames != nullptr) {
      clear_padding(seq_, seq_.n_features, gradients.frames);
    }
    for_each_block(seq_, [&](const Block& block) {
      clear();
      for (int64_t end = block.longest(); end > 0;) {
        end = collect(block, end, outputs, trace, upstream);
        add_weights(gradients.frames);
      }
      add_constants(block, gradients.constants);
      finish(block, gradients);
    });
    panels_.unpack(d_kernel_.get(), seq_.n_features, of_frames_.n_stored(),
                   gradients.kernel);
    panels_.unpack(d_constants_kernel_.get(), seq_.n_constants,
                   of_constants_.n_stored(), gradients.constants_kernel);
    panels_.unpack(d_recurrent_kernel_.get(), seq_.n_units, of_outputs_.n_stored(),
                   gradients.recurrent_kernel);
    panels_.unpack(d_bias_.get(), 1, 1, gradients.bias);
  }

 private:
  void clear() {
    d_outputs_.clear();
    d_memories_.clear();
    biases_.clear();
  }

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
        retreat(block, r, t, slot, trace, upstream);
        of_outputs_.put(before(block, r, t, outputs), slot, before_.get());
        places_[slot] = block.frame(r, t);
        of_frames_.put(inputs_.frames + places_[slot] * seq_.n_features, slot,
                       frames_.get());
      }
      to_outputs_.multiply(gates_.get() + n_slots_ * panels_.width(), MOST_SLOTS,
                           panels_.width(), n, recurrent_kernel_.get(),
                           d_outputs_.get());
      n_slots_ += n;
    }
    return end;
  }

  const float* before(const Block& block, int64_t r, int64_t t,
                      const float* outputs) const {
    if (t == 0) return state_.output + block.rows[r] * seq_.n_units;
    return outputs + block.frame(r, t - 1) * seq_.n_units;
  }

  // Gradients of the gates of row r at step t, and of the memory before it.
  void retreat(const Block& block, int64_t r, int64_t t, int64_t slot,
               const float* trace, const float* upstream) {
    const int64_t n_traced = n_panels_ * N_TRACED * LANES, units = seq_.n_units;
    const float* traced = trace + block.step(r, t) * n_traced;
    const float* first = state_.memory + block.rows[r] * units;
    upstream += block.frame(r, t) * units;
    for (int64_t p = 0; p < n_panels_; ++p, traced += N_TRACED * LANES) {
      const int64_t unit = p * LANES;
      const Vector memory_before = t == 0 ? load(first + unit, units - unit)
                                          : load(traced - n_traced + N_GATES * LANES);
      const Vector from_above = load(upstream + unit, units - unit);
      retreat_vector(traced, memory_before, from_above, r * padded_ + unit,
                     (p * MOST_SLOTS + slot) * panels_.width(),
                     (p * MOST_SLOTS + r) * panels_.width());
    }
  }

  SKSEQ_INLINE void retreat_vector(const float* traced, Vector memory_before,
                                   Vector from_above, int64_t unit, int64_t slot,
                                   int64_t row) {
    const Vector input = load(traced), forget = load(traced + LANES);
    const Vector cell = load(traced + 2 * LANES), output = load(traced + 3 * LANES);
    const Vector seen = hyperbolic_tangent(load(traced + 4 * LANES));
    const Vector d_output = load(d_outputs_.get() + unit) + from_above;
    Vector d_memory = load(d_memories_.get() + unit);
    d_memory = fused(d_output * output, 1.0f - seen * seen, d_memory);
    store(d_memories_.get() + unit, d_memory * forget);
    const Vector d_gates[N_GATES] = {
        d_memory * cell * (input * (1.0f - input)),
        d_memory * memory_before * (forget * (1.0f - forget)),
        d_memory * input * (1.0f - cell * cell),
        d_output * seen * (output * (1.0f - output)),
    };
    for (int g = 0; g < N_GATES; ++g) {
      store(gates_.get() + slot + g * LANES, d_gates[g]);
      float* bias = biases_.get() + row + g * LANES;
      store(bias, load(bias) + d_gates[g]);
    }
  }

  // Add what the slots give to the weights, and write what they give to the frames.
  void add_weights(float* d_frames) {
    of_outputs_.multiply<N_GATES>(before_.get(), gates_.get(), panels_.width(),
                                  n_slots_, n_panels_, d_recurrent_kernel_.get());
    of_frames_.multiply<N_GATES>(frames_.get(), gates_.get(), panels_.width(),
                                 n_slots_, n_panels_, d_kernel_.get());
    if (d_frames == nullptr || seq_.n_features == 0) return;
    to_frames_.multiply(gates_.get(), MOST_SLOTS, panels_.width(), n_slots_,
                        kernel_.get(), d_frames_.get());
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
    of_constants_.multiply<N_GATES>(constants_.get(), biases_.get(), panels_.width(),
                                    block.n_rows, n_panels_, d_constants_kernel_.get());
    to_constants_.multiply(biases_.get(), MOST_SLOTS, panels_.width(), block.n_rows,
                           constants_kernel_.get(), d_constants_.get());
    for (int64_t r = 0; r < block.n_rows; ++r) {
      std::memcpy(d_constants + block.rows[r] * n,
                  d_constants_.get() + r * to_constants_.padded(), sizeof(float) * n);
    }
  }

  void finish(const Block& block, const LstmGradients& gradients) {
    const int64_t width = panels_.width(), size = sizeof(float) * seq_.n_units;
    for (int64_t r = 0; r < block.n_rows; ++r) {
      const int64_t to = block.rows[r] * seq_.n_units;
      std::memcpy(gradients.output + to, d_outputs_.get() + r * padded_, size);
      std::memcpy(gradients.memory + to, d_memories_.get() + r * padded_, size);
    }
    for (int64_t p = 0; p < n_panels_; ++p) {
      for (int64_t g = 0; g < width; g += LANES) {
        float* bias = d_bias_.get() + p * width + g;
        Vector sum = load(bias);
        for (int64_t r = 0; r < block.n_rows; ++r) {
          sum += load(biases_.get() + (p * MOST_SLOTS + r) * width + g);
        }
        store(bias, sum);
      }
    }
  }

  const Sequences& seq_;
  const Inputs& inputs_;
  const LstmState& state_;
  const Panels panels_;
  const int64_t n_panels_, padded_;
  const Transposed to_outputs_, to_frames_, to_constants_;
  const Collected of_outputs_, of_frames_, of_constants_;
  Buffer recurrent_kernel_, kernel_, constants_kernel_;  // transposed
  Buffer gates_;                      // gradients of the gates, by panel and slot
  Buffer biases_;                     // their sums, by panel and row of the block
  Buffer before_, frames_;            // inputs of the slots
  Buffer constants_;                  // by row of the block, like the next ones
  Buffer d_outputs_, d_memories_;
  Buffer d_frames_;                   // by slot
  Buffer d_constants_;                // by row of the block
  Buffer d_recurrent_kernel_, d_kernel_, d_constants_kernel_, d_bias_;
  int64_t places_[MOST_SLOTS], n_slots_ = 0;  // the frames of the slots
};

}  // namespace
