// Exact scores and best paths of one sample's labellings: skseq/_ctc/lattice.py,
// compiled.

#pragma once

#include <cmath>

#include "ctc_sample.h"

namespace skseq {

// The constants of lattice.py.
constexpr double LOG_MAX_SUCCESSORS = 1.0986122886681098;
constexpr double SMALLEST_EXACT_MASS = 1e-280;
constexpr double LOG_2 = 0.6931471805599453;

// How the masses of paths add up, and how a path's mass meets an emission.
struct SumOfProbabilities {
  static constexpr double zero = 0.0, one = 1.0;
  static double plus(double a, double b) { return a + b; }
  static double times(double a, double b) { return a * b; }
};

struct SumOfLogs {
  static constexpr double zero = -INFINITE, one = 0.0;
  static double plus(double a, double b) {
    if (a == b) return a + LOG_2;
    const double difference = a - b;
    return difference > 0 ? a + std::log1p(std::exp(-difference))
                          : b + std::log1p(std::exp(difference));
  }
  static double times(double a, double b) { return a + b; }
};

struct BestOfLogs {
  static constexpr double zero = -INFINITE, one = 0.0;
  static double plus(double a, double b) { return a > b ? a : b; }
  static double times(double a, double b) { return a + b; }
};

// The states of one labelling that a path can reach in a frame and still reach the end
// from: numbers of labels put out, first to last.
struct Band {
  int64_t first, last;

  Band(int64_t n_labels, int64_t n_frames, int64_t t)
      : first(std::max<int64_t>(0, n_labels - (n_frames - 1 - t))),
        last(std::min(n_labels, t + 1)) {}
};

// Move every path on by one frame, in place: from the end, for a state takes from the
// one before it.
template <class Algebra, class Emit, class Repeats>
void advance(double* blank, double* label, Band band, double blank_emission, Emit emit,
             Repeats repeats) {
  for (int64_t u = band.last; u >= std::max<int64_t>(1, band.first); --u) {
    const double total = Algebra::plus(blank[u], label[u]);
    const double entering =
        repeats(u) ? blank[u - 1] : Algebra::plus(blank[u - 1], label[u - 1]);
    label[u] = Algebra::times(Algebra::plus(entering, label[u]), emit(u));
    blank[u] = Algebra::times(total, blank_emission);
  }
  if (band.first == 0)
    blank[0] = Algebra::times(Algebra::plus(blank[0], label[0]), blank_emission);
}

template <class T>
class Lattice {
 public:
  // Compute the exact log-probabilities of labellings of one sample.
  void score(const Sample<T>& sample, const std::vector<double>& best_labels,
             const int32_t* labels, const int64_t* starts, int64_t n_rows,
             double* scores) {
    prepare(sample, labels, starts, n_rows);
    rows_.clear();
    for (int64_t row = 0; row < n_rows; ++row)
      if (is_feasible(sample, labels + starts[row], starts[row + 1] - starts[row]))
        rows_.push_back(row);
      else
        scores[row] = -INFINITE;
    double bound_sum = 0.0;
    forward<SumOfProbabilities>(sample, &best_labels, starts, bound_sum);
    size_t n_left = 0;
    for (int64_t row : rows_) {
      const double mass = final_mass<SumOfProbabilities>(starts, row);
      if (mass > SMALLEST_EXACT_MASS && mass < INFINITE)
        scores[row] = std::log(mass) + bound_sum;
      else
        rows_[n_left++] = row;
    }
    rows_.resize(n_left);
    if (rows_.empty()) return;
    forward<SumOfLogs>(sample, nullptr, starts, bound_sum);
    for (int64_t row : rows_) scores[row] = final_mass<SumOfLogs>(starts, row);
  }

  // Find the states of a labelling's best path, and its log-probability. State 2 u is
  // a blank after u labels, state 2 u - 1 the label number u.
  double align(const Sample<T>& sample, const int32_t* labels, int64_t n_labels,
               int32_t* path) {
    const int64_t n_frames = sample.n_frames;
    if (!is_feasible(sample, labels, n_labels)) return -INFINITE;
    const int64_t n_states = 2 * n_labels + 1;
    steps_.assign(static_cast<size_t>(n_frames) * n_states, 0);
    blank_.assign(n_labels + 1, -INFINITE);
    label_.assign(n_labels + 1, -INFINITE);
    blank_[0] = 0.0;
    for (int64_t t = 0; t < n_frames; ++t) {
      const T* frame = sample.frame(t);
      const Band band(n_labels, n_frames, t);
      choose_steps(labels, band, steps_.data() + t * n_states);
      const auto emit = [&](int64_t u) { return double(frame[labels[u - 1]]); };
      const auto repeats = [&](int64_t u) {
        return u > 1 && labels[u - 1] == labels[u - 2];
      };
      const double blank = frame[sample.n_labels];
      advance<BestOfLogs>(blank_.data(), label_.data(), band, blank, emit, repeats);
    }
    const bool ends_in_label = label_[n_labels] > blank_[n_labels];
    const double score = ends_in_label ? label_[n_labels] : blank_[n_labels];
    if (score == -INFINITE) return score;
    int64_t state = 2 * n_labels - ends_in_label;
    for (int64_t t = n_frames - 1; t >= 0; --t) {
      path[t] = static_cast<int32_t>(state);
      state -= steps_[t * n_states + state];
    }
    return score;
  }

 private:
  static bool is_feasible(const Sample<T>& sample, const int32_t* labels, int64_t n) {
    int64_t needed = n;
    for (int64_t i = 1; i < n; ++i) needed += labels[i] == labels[i - 1];
    return needed <= sample.n_frames;
  }

  // Name the labels that occur by columns, so that a frame has one emission for each.
  void prepare(const Sample<T>& sample, const int32_t* labels, const int64_t* starts,
               int64_t n_rows) {
    const int64_t n_places = starts[n_rows] - starts[0];
    columns_.assign(sample.n_labels, -1);
    used_.clear();
    places_.resize(n_places);
    repeats_.resize(n_places);
    for (int64_t row = 0; row < n_rows; ++row)
      for (int64_t i = starts[row]; i < starts[row + 1]; ++i) {
        int32_t& column = columns_[labels[i]];
        if (column < 0) {
          column = static_cast<int32_t>(used_.size());
          used_.push_back(labels[i]);
        }
        places_[i - starts[0]] = column;
        repeats_[i - starts[0]] = i > starts[row] && labels[i] == labels[i - 1];
      }
  }

  // A row's states stand one after the other: one for each label and one more.
  static int64_t first_state(const int64_t* starts, int64_t row) {
    return starts[row] - starts[0] + row;
  }

  // Add up the paths of the labellings in rows_. With the frames' best labels,
  // emissions are probabilities beside a bound of each frame, whose logs are added up;
  // without, they are logs.
  template <class Algebra>
  void forward(const Sample<T>& sample, const std::vector<double>* best_labels,
               const int64_t* starts, double& bound_sum) {
    const int64_t n_frames = sample.n_frames;
    const size_t n_states = rows_.empty() ? 0 : places_.size() + rows_.back() + 1;
    blank_.assign(n_states, Algebra::zero);
    label_.assign(n_states, Algebra::zero);
    for (int64_t row : rows_) blank_[first_state(starts, row)] = Algebra::one;
    values_.resize(used_.size() + 1);
    for (int64_t t = 0; t < n_frames; ++t) {
      const T* frame = sample.frame(t);
      for (size_t i = 0; i < used_.size(); ++i) values_[i] = frame[used_[i]];
      values_.back() = frame[sample.n_labels];
      if (best_labels) {
        const double best = std::max((*best_labels)[t], values_.back());
        const double most = best + LOG_MAX_SUCCESSORS;
        const double bound = best > 0.0 ? most : std::min(most, 0.0);
        bound_sum += bound;
        exponentials(values_, bound, emissions_);
      } else {
        emissions_ = values_;
      }
      for (int64_t row : rows_) {
        const int64_t first = first_state(starts, row);
        const int64_t n_labels = starts[row + 1] - starts[row];
        const int32_t* places = places_.data() + (starts[row] - starts[0]);
        const char* repeated = repeats_.data() + (starts[row] - starts[0]);
        advance<Algebra>(
            blank_.data() + first, label_.data() + first, Band(n_labels, n_frames, t),
            emissions_.back(), [&](int64_t u) { return emissions_[places[u - 1]]; },
            [&](int64_t u) { return repeated[u - 1]; });
      }
    }
  }

  template <class Algebra>
  double final_mass(const int64_t* starts, int64_t row) const {
    const int64_t last = first_state(starts, row) + starts[row + 1] - starts[row];
    return Algebra::plus(blank_[last], label_[last]);
  }

  // Note how many states each state's best path comes up by: 0, 1 or 2.
  void choose_steps(const int32_t* labels, Band band, int8_t* steps) const {
    for (int64_t u = band.first; u <= band.last; ++u) {
      steps[2 * u] = label_[u] > blank_[u];
      if (u == 0) continue;
      const bool repeats = u > 1 && labels[u - 1] == labels[u - 2];
      const bool skips = label_[u - 1] > blank_[u - 1] && !repeats;
      const double entering = skips ? label_[u - 1] : blank_[u - 1];
      steps[2 * u - 1] = entering > label_[u] ? 1 + skips : 0;
    }
  }

  std::vector<int32_t> used_, columns_, places_;
  std::vector<char> repeats_;
  std::vector<int64_t> rows_;
  std::vector<double> blank_, label_, values_, emissions_;
  std::vector<int8_t> steps_;
};

}  // namespace skseq
