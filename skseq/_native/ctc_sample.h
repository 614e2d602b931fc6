// One sample's log-posteriors, and what search and lattice share.
//
// The arithmetic of these files is that of skseq/_ctc/exponential.py, search.py and
// lattice.py, operation by operation in doubles. Compiled without contraction into
// fused multiplications (hatch_build.py), it gives their results to the last bit.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace skseq {

enum Status : int32_t { DONE, NO_MEMORY, TOO_LARGE, BAD_FRAME };

struct Refusal {
  Status status;
};

constexpr double INFINITE = std::numeric_limits<double>::infinity();
constexpr int64_t MOST_ELEMENTS = std::numeric_limits<int32_t>::max();

// Taylor's series of exp(r), |r| < 0.35.
inline double taylor(double r) {
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p;
}

// skseq/_ctc/exponential.py in scalars. It has no branch and no call, so that loops
// over it become vector instructions.
inline double exponential(double x) {
  double bounded = x > -708.0 ? x : -708.0;
  bounded = bounded < 700.0 ? bounded : 700.0;
  // A sum with 1.5 * 2**52 is rounded to an integer, which its low bits then hold.
  constexpr double shift = 6755399441055744.0;
  const double shifted = bounded * 1.4426950408889634 + shift;
  const double n = shifted - shift;
  const double r = (bounded - n * 6.93147180369123816490e-01) -
                   n * 1.90821492927058770002e-10;
  const double p = taylor(r);
  uint64_t bits, power;
  std::memcpy(&bits, &p, sizeof bits);
  std::memcpy(&power, &shifted, sizeof power);
  bits += power << 52;  // times 2**n
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return x < -708.0 ? 0.0 : value;
}

// exp(value - reference) of each value.
inline void exponentials(const std::vector<double>& values, double reference,
                         std::vector<double>& results) {
  const size_t n = values.size();
  results.resize(n);
  const double* from = values.data();
  double* to = results.data();
  for (size_t i = 0; i < n; ++i) to[i] = exponential(from[i] - reference);
}

template <class T>
struct Sample {
  const T* frames;
  int64_t n_frames;
  int64_t n_labels;  // the blank is one column more

  const T* frame(int64_t index) const { return frames + index * (n_labels + 1); }
};

// The best of some values. `fine` turns false if one is NaN or infinite.
template <class T>
T largest(const T* values, int64_t n, bool& fine) {
  constexpr int LANES = 16;
  constexpr T infinite = std::numeric_limits<T>::infinity();
  T best[LANES];
  int wrong[LANES] = {};
  std::fill(best, best + LANES, -infinite);
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int lane = 0; lane < LANES; ++lane) {
      const T value = values[i + lane];
      best[lane] = best[lane] > value ? best[lane] : value;
      wrong[lane] |= !(value < infinite);
    }
  for (; i < n; ++i) {
    best[0] = best[0] > values[i] ? best[0] : values[i];
    wrong[0] |= !(values[i] < infinite);
  }
  for (int lane = 1; lane < LANES; ++lane) {
    best[0] = std::max(best[0], best[lane]);
    wrong[0] |= wrong[lane];
  }
  fine &= !wrong[0];
  return best[0];
}

// Find the best label of each frame, and refuse frames that no posterior can have.
template <class T>
void find_best_labels(const Sample<T>& sample, std::vector<double>& best_labels) {
  best_labels.resize(sample.n_frames);
  for (int64_t t = 0; t < sample.n_frames; ++t) {
    bool fine = true;
    const T* frame = sample.frame(t);
    const double best = largest(frame, sample.n_labels, fine);
    const double blank = frame[sample.n_labels];
    if (!fine || !(blank < INFINITE) || std::max(best, blank) == -INFINITE)
      throw Refusal{BAD_FRAME};
    best_labels[t] = best;
  }
}

// Label sequences one after the other, of which number i starts at starts[i].
struct Labellings {
  std::vector<int32_t> labels;
  std::vector<int64_t> starts{0};
  std::vector<double> scores;
  std::vector<double> weights;  // in a language; none where nothing is told of one

  int64_t size() const { return static_cast<int64_t>(starts.size()) - 1; }
  void close() { starts.push_back(static_cast<int64_t>(labels.size())); }
};

}  // namespace skseq
