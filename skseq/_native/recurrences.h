// What the kernels are given, of recurrences and of functions of rows, and the table of
// those of each instruction set.
//
// Arrays are C contiguous, and callers have checked every size, every length and that
// no array of a recurrence has 2**31 elements. Kernels return false if memory is short.

#pragma once

#include <cstdint>

namespace skseq {

// Right-padded sequences, and which of their rows are gone through in which order: all
// of them, or those of one part.
struct Sequences {
  int64_t n_rows, n_frames, n_features, n_constants, n_units;
  const int32_t* lengths;  // of all rows, each 0 to n_frames
  const int64_t* order;    // (n_rows,), rows by falling length
  const int64_t* starts;   // of all rows, the frames of those before, without padding
  bool backward;           // each row is read from its last frame to its first
};

// What a recurrence sees: frames, and constants, which are the same at every step.
struct Inputs {
  const float* frames;     // (n_rows, n_frames, n_features)
  const float* constants;  // (n_rows, n_constants)
};

// Gates are in the order of Keras: input, forget, cell and output of an LSTM, update,
// reset and candidate of a GRU, whose bias has two rows, of inputs and of outputs.
struct Weights {
  const float* kernel;            // (n_features, n_gates n_units)
  const float* constants_kernel;  // (n_constants, n_gates n_units)
  const float* recurrent_kernel;  // (n_units, n_gates n_units)
  const float* bias;              // (n_gates n_units,), or two of them
};

struct State {
  const float* output;  // (n_rows, n_units)
  const float* memory;  // the same; null for a GRU, which has none
};

struct Gradients {
  float* frames;  // null if it is not wanted
  float* constants;
  float* kernel;
  float* constants_kernel;
  float* recurrent_kernel;
  float* bias;
  float* output;
  float* memory;
};

// What one step reads: a frame and a state of each row.
struct StepInputs {
  int64_t n_rows, n_features, n_units;
  const float* frames;  // (n_rows, n_features)
  const float* output;  // (n_rows, n_units)
  const float* memory;  // the same; null for a GRU
};

struct Cell {
  int64_t n_gates, n_biases, n_states;
  int64_t n_traced;  // numbers that the gradient needs, per frame and padded unit

  // outputs is (n_rows, n_frames, n_units), zero past each length. trace, which may be
  // null, has n_traced numbers per frame without padding and padded unit.
  bool (*run)(const Sequences&, const Inputs&, const Weights&, const State&,
              float* outputs, float* trace);
  bool (*differentiate)(const Sequences&, const Inputs&, const Weights&, const State&,
                        const float* outputs, const float* trace, const float* upstream,
                        const Gradients&);
  // The state after a step; memory is null for a GRU. There are no constants.
  bool (*step)(const StepInputs&, const Weights&, float* output, float* memory);
};

// Rows that a dense layer reads: some numbers side by side, which may be those of other
// rows too, as in a convolution.
struct Rows {
  const float* inputs;
  int64_t n_inputs;    // numbers of a row
  int64_t n_together;  // rows of a sequence, one of them `stride` numbers after another
  int64_t stride;
  int64_t sequence_stride;  // numbers from a sequence to the next

  const float* row(int64_t i) const {
    return inputs + i / n_together * sequence_stride + i % n_together * stride;
  }
};

struct DenseLayer {
  const float* kernel;  // (n_inputs, n_units)
  const float* bias;    // (n_units,)
  int64_t n_units;
  bool is_tanh;  // whether a hyperbolic tangent follows
};

// What a layer's normalization multiplies by and adds.
struct Scaling {
  const float* gamma;
  const float* beta;
  float epsilon;  // is added to the variance
};

// Queries, and what they look at. Without a score_kernel, which is (n_units,), scores
// are products of queries and keys, otherwise of it and the tangent of their sum.
struct Attended {
  int64_t n_samples, n_queries, n_source, n_units, n_features;
  const float* queries;    // (n_samples, n_queries, n_units)
  const float* keys;       // (n_samples, n_source, n_units)
  const float* states;     // (n_samples, n_source, n_features)
  const int32_t* lengths;  // (n_samples,), each 0 to n_source
  const float* score_kernel;
  float scale;  // of the scores
};

// What the gradients of attention are computed from beside it, and where they go, in
// arrays like those of Attended. Those of the score kernel are one per sample.
struct AttentionGradients {
  const float* weights;     // (n_samples, n_queries, n_source), which were found
  const float* d_contexts;  // (n_samples, n_queries, n_features)
  const float* d_weights;   // like weights
  float* queries;
  float* keys;
  float* states;
  float* score_kernels;  // (n_samples, n_units); null without a kernel
};

// Logits of rows and the label of each. Smoothing spreads a share of a label's
// probability evenly over all ids.
struct Labelled {
  int64_t n_ids;
  const float* logits;    // (n_rows, n_ids)
  const int32_t* labels;  // (n_rows,), each from 0 to before n_ids
  float smoothing;
};

// Of rows number `first` to before `end`, each computed as if it were alone.
struct RowFunctions {
  bool (*dense)(const Rows&, const DenseLayer&, int64_t first, int64_t end,
                float* outputs);
  // Arrays (n_rows, n_numbers).
  void (*log_softmax)(const float* inputs, int64_t n_numbers, int64_t first,
                      int64_t end, float* outputs);
  // log_sums, (n_rows,), are the logarithms of the sums of all exponentials.
  void (*softmax)(const float* inputs, int64_t n_numbers, int64_t first, int64_t end,
                  float* outputs, double* log_sums);
  // losses are (n_rows,); sums, for the gradient, are (n_rows, 2).
  void (*cross_entropy)(const Labelled&, int64_t first, int64_t end, float* losses,
                        float* sums);
  void (*differentiate_cross_entropy)(const Labelled&, const float* sums,
                                      const float* upstream, int64_t first,
                                      int64_t end, float* d_logits);
  void (*normalize)(const float* inputs, int64_t n_numbers, const Scaling&,
                    int64_t first, int64_t end, float* outputs);
  void (*attend)(const Attended&, int64_t first, int64_t end, float* contexts,
                 float* weights);
  // Of samples number `first` to before `end`.
  bool (*differentiate_attention)(const Attended&, const AttentionGradients&,
                                  int64_t first, int64_t end);
};

// What an update of Adam's does alike to all numbers.
struct AdamStep {
  float rate;  // with the corrections of both means for their start from zero
  float beta_1, beta_2, epsilon;
  float gradient_scale;
};

struct Optimizer {
  double (*sum_of_squares)(const float* numbers, int64_t n);
  // `before` and `after` are weights, momentums and velocities.
  void (*update)(const AdamStep&, const float* gradients,
                 const float* const (&before)[3], int64_t n, float* const (&after)[3]);
};

struct Kernels {
  const char* name;
  int64_t lanes;  // units that are computed at once
  Cell lstm, gru;
  RowFunctions rows;
  Optimizer adam;
};

extern const Kernels plain_kernels, avx2_kernels, avx512_kernels;

// Those of the best instruction set that there is.
const Kernels& kernels();

// The units, filled up to whole vectors.
inline int64_t padded_units(int64_t n_units, int64_t lanes) {
  return (n_units + lanes - 1) / lanes * lanes;
}

}  // namespace skseq
