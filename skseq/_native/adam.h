// Adam's update of some numbers (Kingma & Ba 2015), and the norm of gradients.

#pragma once

#include "rows.h"

namespace {

using skseq::AdamStep;

// Numbers whose squares are added up in single precision, before their sum goes on in
// double.
constexpr int64_t SQUARED_AT_ONCE = 4096;

double sum_of_squares(const float* numbers, int64_t n) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i += SQUARED_AT_ONCE) {
    const int64_t count = n - i < SQUARED_AT_ONCE ? n - i : SQUARED_AT_ONCE;
    sum += summed(numbers + i, count, [](Vector x) { return x * x; });
  }
  return sum;
}

// From the gradients and the state of n numbers to the state after.
void update_by_adam(const AdamStep& step, const float* gradients,
                    const float* const (&before)[3], int64_t n,
                    float* const (&after)[3]) {
  in_vectors(n, [&](int64_t i, int64_t count) {
    const Vector gradient = load(gradients + i, count) * step.gradient_scale;
    Vector momentum = load(before[1] + i, count);
    Vector velocity = load(before[2] + i, count);
    momentum = fused(gradient - momentum, filled(1.0f - step.beta_1), momentum);
    velocity = fused(fused(gradient, gradient, -velocity), filled(1.0f - step.beta_2),
                     velocity);
    const Vector divisor = square_root(velocity) + step.epsilon;
    const Vector change = momentum * step.rate / divisor;
    store(after[0] + i, load(before[0] + i, count) - change, count);
    store(after[1] + i, momentum, count);
    store(after[2] + i, velocity, count);
  });
}

}  // namespace
