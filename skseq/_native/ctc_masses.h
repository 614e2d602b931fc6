// Masses of any size: skseq/_ctc/masses.py, compiled.

#pragma once

#include "ctc_sample.h"

namespace skseq {

// A double from 0.5 to below 1 times a power of two, or zero.
struct Mass {
  double value;
  int64_t exponent;

  static constexpr int64_t OF_ZERO = -(int64_t{1} << 61);
  static constexpr int64_t FARTHEST = 60;

  static Mass zero() { return Mass{0.0, OF_ZERO}; }

  // A number that is zero or normal, times a power of two.
  static Mass of(double value, int64_t exponent) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const int64_t power = static_cast<int64_t>(bits >> 52) - 1022;
    bits = (bits & 0x000FFFFFFFFFFFFFull) | 0x3FE0000000000000ull;
    Mass mass{0.0, exponent + power};
    std::memcpy(&mass.value, &bits, sizeof bits);
    return value > 0.0 ? mass : zero();
  }

  // exp of a number that is not positive.
  static Mass exponential(double x) {
    if (x == -INFINITE) return zero();
    const double bounded = x > -1e8 ? x : -1e8;
    constexpr double shift = 6755399441055744.0;
    const double n = (bounded * 1.4426950408889634 + shift) - shift;
    const double r = (bounded - n * 6.93147180369123816490e-01) -
                     n * 1.90821492927058770002e-10;
    return of(taylor(r), static_cast<int64_t>(n));
  }

  bool is_zero() const { return value == 0.0; }

  Mass times(const Mass& other) const {
    return of(value * other.value, exponent + other.exponent);
  }

  Mass plus(Mass other) const {
    Mass more = *this;
    if (more.exponent < other.exponent) std::swap(more, other);
    const int64_t shift = more.exponent - other.exponent;
    if (shift > FARTHEST) return more;
    const uint64_t bits = static_cast<uint64_t>(1023 - shift) << 52;  // 2**-shift
    double scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return of(more.value + other.value * scale, more.exponent);
  }
};

// The natural logarithms of numbers from 0.5 to below 1, or zero, times powers of two.
inline void logarithms(const double* values, const double* powers, size_t n,
                       double* results) {
  for (size_t i = 0; i < n; ++i) {
    const bool is_small = values[i] < 0.7071067811865476;
    const double value = is_small ? 2.0 * values[i] : values[i];
    const double power = is_small ? powers[i] - 1.0 : powers[i];
    const double s = (value - 1.0) / (value + 1.0);
    const double square = s * s;
    double series = 1.0 / 25.0;  // of atanh(s) / s
    series = series * square + 1.0 / 23.0;
    series = series * square + 1.0 / 21.0;
    series = series * square + 1.0 / 19.0;
    series = series * square + 1.0 / 17.0;
    series = series * square + 1.0 / 15.0;
    series = series * square + 1.0 / 13.0;
    series = series * square + 1.0 / 11.0;
    series = series * square + 1.0 / 9.0;
    series = series * square + 1.0 / 7.0;
    series = series * square + 1.0 / 5.0;
    series = series * square + 1.0 / 3.0;
    series = series * square + 1.0;
    const double found = power * 6.93147180369123816490e-01 +
                         (2.0 * s * series + power * 1.90821492927058770002e-10);
    results[i] = values[i] > 0.0 ? found : -INFINITE;
  }
}

inline double logarithm(const Mass& mass) {
  const double power = static_cast<double>(mass.exponent);
  double result;
  logarithms(&mass.value, &power, 1, &result);
  return result;
}

}  // namespace skseq
