// A GRU whose reset gate comes after the product (Cho et al. 2014, as cuDNN has it).

#pragma once

#include "vectors.h"

namespace {

// As described in lstm.h. Gates that see the inputs are candidate, update and reset;
// update, reset and recall see the output before: what the candidate recalls of it.
struct Gru {
  static constexpr int N_INPUT = 3, N_RECURRENT = 3;
  static constexpr int FIRST_GATE = 2, OFFSET = 1;
  static constexpr int N_BIASES = 2, N_TRACED = 4;
  static constexpr bool HAS_MEMORY = false;

  template <int R>
  SKSEQ_INLINE static void enter(const Vector (&sums)[R][N_INPUT], const float* bias,
                                 Vector (&inner)[R][N_RECURRENT]) {
    for (int r = 0; r < R; ++r) {
      inner[r][0] = sums[r][1] + load(bias);
      inner[r][1] = sums[r][2] + load(bias + LANES);
      inner[r][2] = load(bias + 2 * LANES);
    }
  }

  // The memory is the output before.
  SKSEQ_INLINE static Vector finish(const Vector (&sums)[N_INPUT],
                                    const Vector (&inner)[N_RECURRENT], Vector& memory,
                                    Vector (&traced)[N_TRACED]) {
    const Vector update = traced[0] = sigmoid(inner[0]);
    const Vector reset = traced[1] = sigmoid(inner[1]);
    const Vector recall = traced[2] = inner[2];
    const Vector candidate = traced[3] =
        hyperbolic_tangent(fused(reset, recall, sums[0]));
    return fused(update, memory - candidate, candidate);
  }

  // `handed` is what goes past the gates to the output before.
  SKSEQ_INLINE static void retreat(const Vector (&traced)[N_TRACED], Vector before,
                                   Vector d_output, Vector& handed,
                                   Vector (&d_gates)[4]) {
    const Vector update = traced[0], reset = traced[1];
    const Vector recall = traced[2], candidate = traced[3];
    d_output = d_output + handed;
    const Vector d_candidate =
        d_output * (1.0f - update) * (1.0f - candidate * candidate);
    d_gates[0] = d_candidate;
    d_gates[1] = d_output * (before - candidate) * (update * (1.0f - update));
    d_gates[2] = d_candidate * recall * (reset * (1.0f - reset));
    d_gates[3] = d_candidate * reset;
    handed = d_output * update;
  }
};

}  // namespace
