// One step of a cell for some rows. Few rows read the weights where they are, as putting
// them side by side takes longer than the step; for more, a panel at a time is put so.

#pragma once

#include "products.h"
#include "recurrences.h"

namespace {

// The weights of some units, one vector of them for each of N gates.
template <int N>
struct GatePanel {
  const float* gates[N];
  int64_t width;  // numbers from one input to the next
};

// Weights (n_inputs, N n_units), read a panel at a time.
template <int N>
class Gates {
 public:
  Gates(const float* weights, int64_t n_inputs, const Panels& panels, int64_t n_rows)
      : weights_(weights),
        n_inputs_(n_inputs),
        panels_(panels),
        n_in_place_(n_rows <= FEW_ROWS ? panels.n_units / LANES : 0),
        packed_(n_in_place_ < panels.count() ? n_inputs * N * LANES : 0) {}

  bool exists() const { return packed_.exists(); }

  // Until the next one is asked for.
  GatePanel<N> panel(int64_t p) {
    const bool is_in_place = p < n_in_place_;
    if (!is_in_place) pack(p);
    GatePanel<N> panel;
    panel.width = is_in_place ? N * panels_.n_units : N * LANES;
    for (int g = 0; g < N; ++g) {
      panel.gates[g] = is_in_place
                           ? weights_ + panels_.gate(g) * panels_.n_units + p * LANES
                           : packed_.get() + g * LANES;
    }
    return panel;
  }

 private:
  void pack(int64_t p) {
    const int64_t unit = p * LANES, left = panels_.n_units - unit;
    for (int64_t i = 0; i < n_inputs_ * N; ++i) {
      const int64_t column = panels_.gate(i % N) * panels_.n_units + unit;
      const float* from = weights_ + i / N * N * panels_.n_units + column;
      store(packed_.get() + i * LANES, load(from, left));
    }
  }

  const float* weights_;
  const int64_t n_inputs_;
  const Panels panels_;
  const int64_t n_in_place_;  // panels of whole vectors that are read where they are
  Buffer packed_;             // one of the others
};

// As in add_product.
template <int R, int N>
SKSEQ_INLINE void add_gates(const float* const* rows, const GatePanel<N>& panel,
                            int64_t n, Vector (&sums)[R][N]) {
  const float* row[R];
  const float* gates[N];
  for (int r = 0; r < R; ++r) row[r] = rows[r];
  for (int g = 0; g < N; ++g) gates[g] = panel.gates[g];
  for (int64_t k = 0, at = 0; k < n; ++k, at += panel.width) {
    Vector numbers[R];
    for (int r = 0; r < R; ++r) numbers[r] = filled(row[r][k]);
    for (int g = 0; g < N; ++g) {
      const Vector weights = load(gates[g] + at);
      for (int r = 0; r < R; ++r) sums[r][g] = fused(numbers[r], weights, sums[r][g]);
    }
  }
}

template <class Cell>
class Step {
 public:
  Step(const skseq::StepInputs& inputs, const skseq::Weights& weights)
      : in_(inputs),
        panels_{Cell::N_INPUT, inputs.n_units, Cell::FIRST_GATE},
        inner_panels_{Cell::N_RECURRENT, inputs.n_units, 0},
        kernel_(weights.kernel, inputs.n_features, panels_, inputs.n_rows),
        recurrent_kernel_(weights.recurrent_kernel, inputs.n_units, inner_panels_,
                          inputs.n_rows),
        bias_(weights.bias, 1, panels_, inputs.n_rows),
        inner_bias_(Cell::N_BIASES == 1
                        ? weights.bias
                        : weights.bias + Cell::N_INPUT * inputs.n_units,
                    1, inner_panels_, inputs.n_rows) {}

  bool exists() const {
    return kernel_.exists() && recurrent_kernel_.exists() && bias_.exists() &&
           inner_bias_.exists();
  }

  void run(float* output, float* memory) {
    for (int64_t p = 0; p < panels_.count(); ++p) {
      const Panel panel{kernel_.panel(p), recurrent_kernel_.panel(p), bias_.panel(p),
                        inner_bias_.panel(p), p};
      in_tiles(in_.n_rows, [&](auto count, int64_t first) {
        tile<decltype(count)::value>(first, panel, output, memory);
      });
    }
  }

 private:
  // All weights of some units.
  struct Panel {
    GatePanel<Cell::N_INPUT> kernel;
    GatePanel<Cell::N_RECURRENT> recurrent_kernel;
    GatePanel<Cell::N_INPUT> bias;
    GatePanel<Cell::N_RECURRENT> inner_bias;
    int64_t number;
  };

  template <int R>
  SKSEQ_APART void tile(int64_t first, const Panel& panel, float* output,
                        float* memory) const {
    float inner_biases[Cell::N_RECURRENT * LANES];
    for (int g = 0; g < Cell::N_RECURRENT; ++g) {
      store(inner_biases + g * LANES, load(panel.inner_bias.gates[g]));
    }
    const float *frames[R], *before[R];
    Vector sums[R][Cell::N_INPUT], inner[R][Cell::N_RECURRENT];
    for (int r = 0; r < R; ++r) {
      frames[r] = in_.frames + (first + r) * in_.n_features;
      before[r] = in_.output + (first + r) * in_.n_units;
      for (int g = 0; g < Cell::N_INPUT; ++g) sums[r][g] = load(panel.bias.gates[g]);
    }
    add_gates<R, Cell::N_INPUT>(frames, panel.kernel, in_.n_features, sums);
    Cell::enter(sums, inner_biases, inner);
    add_gates<R, Cell::N_RECURRENT>(before, panel.recurrent_kernel, in_.n_units, inner);
    const int64_t unit = panel.number * LANES, left = in_.n_units - unit;
    for (int r = 0; r < R; ++r) {
      const int64_t at = (first + r) * in_.n_units + unit;
      Vector handed = load((Cell::HAS_MEMORY ? in_.memory : in_.output) + at, left);
      Vector traced[Cell::N_TRACED];
      store(output + at, Cell::finish(sums[r], inner[r], handed, traced), left);
      if (Cell::HAS_MEMORY) store(memory + at, handed, left);
    }
  }

  const skseq::StepInputs& in_;
  const Panels panels_, inner_panels_;
  Gates<Cell::N_INPUT> kernel_;
  Gates<Cell::N_RECURRENT> recurrent_kernel_;
  Gates<Cell::N_INPUT> bias_;
  Gates<Cell::N_RECURRENT> inner_bias_;
};

}  // namespace
