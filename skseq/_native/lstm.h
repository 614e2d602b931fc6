// An LSTM (Hochreiter & Schmidhuber 1997, with a forget gate), and what it hands back.

#pragma once

#include "vectors.h"

namespace {

struct Lstm {
  // Gates that see the inputs, and those that see the output before; here the same.
  static constexpr int N_INPUT = 4, N_RECURRENT = 4;
  // The first of a panel's gates that see the inputs, and where the others start among
  // the gradients of all.
  static constexpr int FIRST_GATE = 0, OFFSET = 0;
  static constexpr int N_BIASES = 1, N_TRACED = 5;
  static constexpr bool HAS_MEMORY = true;  // the last number that is traced

  // The sums with which the product with the output before begins.
  template <int R>
  SKSEQ_INLINE static void enter(const Vector (&sums)[R][N_INPUT], const float*,
                                 Vector (&inner)[R][N_RECURRENT]) {
    for (int r = 0; r < R; ++r) {
      for (int g = 0; g < N_INPUT; ++g) inner[r][g] = sums[r][g];
    }
  }

  SKSEQ_INLINE static Vector finish(const Vector (&)[N_INPUT],
                                    const Vector (&inner)[N_RECURRENT], Vector& memory,
                                    Vector (&traced)[N_TRACED]) {
    const Vector input = traced[0] = sigmoid(inner[0]);
    const Vector forget = traced[1] = sigmoid(inner[1]);
    const Vector cell = traced[2] = hyperbolic_tangent(inner[2]);
    const Vector output = traced[3] = sigmoid(inner[3]);
    memory = traced[4] = fused(forget, memory, input * cell);
    return output * hyperbolic_tangent(memory);
  }

  // Gradients of the gates, from that of the output; `handed` is the gradient of the
  // memory after the step, and then of that before it.
  SKSEQ_INLINE static void retreat(const Vector (&traced)[N_TRACED], Vector before,
                                   Vector d_output, Vector& handed,
                                   Vector (&d_gates)[4]) {
    const Vector input = traced[0], forget = traced[1], cell = traced[2];
    const Vector output = traced[3], seen = hyperbolic_tangent(traced[4]);
    const Vector d_memory = fused(d_output * output, 1.0f - seen * seen, handed);
    d_gates[0] = d_memory * cell * (input * (1.0f - input));
    d_gates[1] = d_memory * before * (forget * (1.0f - forget));
    d_gates[2] = d_memory * input * (1.0f - cell * cell);
    d_gates[3] = d_output * seen * (output * (1.0f - output));
    handed = d_memory * forget;
  }
};

}  // namespace
