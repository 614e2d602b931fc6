// The loss of one sequence's labels in a linear chain, and its slopes:
// skseq/_framewise/chain_loss.py, compiled.

#pragma once

#include "ctc_loss.h"

namespace skseq {

// What a chain gives to its first label, to pairs of labels and to its last, as numbers
// to multiply with (`odds`, the largest of each kind 1) and as logarithms.
struct ChainWeights {
  struct Table {
    std::vector<double> odds, logs;
    double top;

    Table(const float* values, int64_t n) : logs(values, values + n) {
      top = *std::max_element(logs.begin(), logs.end());
      if (top == -INFINITE) top = 0.0;  // all is forbidden
      for (double value : logs) odds.push_back(exponential(value - top));
    }

    // The numbers that these masses are multiplied with, and what divides them.
    const double* of(ScaledMasses) const { return odds.data(); }
    const double* of(LogMasses) const { return logs.data(); }
    double divided(ScaledMasses) const { return top; }
    double divided(LogMasses) const { return 0.0; }
  };

  int64_t n_classes;
  Table pairs, starts, ends;

  ChainWeights(const float* pairs, const float* starts, const float* ends, int64_t n)
      : n_classes(n), pairs(pairs, n * n), starts(starts, n), ends(ends, n) {}
};

class ChainLoss {
 public:
  explicit ChainLoss(const ChainWeights& weights)
      : weights_(weights), n_classes_(weights.n_classes) {}

  // The negative log-probability of the labels (Lafferty et al. 2001), of which those
  // below zero may be any. `slopes`, of the scores' shape (n_frames, n_classes), and
  // `pair_slopes` are set to how often labels and pairs of them are expected, less how
  // often they are given the labels.
  double differentiate(const float* scores, int64_t n_frames, const int32_t* labels,
                       float* slopes, float* pair_slopes) {
    scores_ = scores;
    n_frames_ = n_frames;
    std::fill(slopes, slopes + n_frames * n_classes_, 0.0f);
    std::fill(pair_slopes, pair_slopes + n_classes_ * n_classes_, 0.0f);
    if (n_frames == 0) return 0.0;
    labels_ = nullptr;
    const double all = add_up(1.0f, slopes, pair_slopes);
    labels_ = labels;
    const double fitting = add_up(-1.0f, slopes, pair_slopes);
    return fitting == -INFINITE ? INFINITE : all - fitting;
  }

 private:
  // The labels that a frame may have, first to before last.
  struct Range {
    int64_t first, end;
  };

  Range range(int64_t t) const {
    if (labels_ == nullptr || labels_[t] < 0) return {0, n_classes_};
    return {labels_[t], labels_[t] + 1};
  }

  // The log-mass of all paths. What is expected of them is added to the slopes.
  double add_up(float sign, float* slopes, float* pair_slopes) {
    double log_mass;
    if (!sum_up<ScaledMasses>(log_mass) && !sum_up<LogMasses>(log_mass)) {
      return log_mass;  // none is possible, or some scores are not finite
    }
    for (size_t i = 0; i < shares_.size(); ++i) {
      slopes[i] += sign * static_cast<float>(shares_[i]);
    }
    for (size_t i = 0; i < expected_.size(); ++i) {
      pair_slopes[i] += sign * static_cast<float>(expected_[i]);
    }
    return log_mass;
  }

  double* row(std::vector<double>& table, int64_t t) const {
    return table.data() + t * n_classes_;
  }

  // Add up the paths; false if masses that matter are lost, or some are NaN.
  template <class Masses>
  bool sum_up(double& log_mass) {
    emissions_.resize(n_frames_ * n_classes_);
    shown_.resize(n_frames_ * n_classes_);
    shares_.assign(n_frames_ * n_classes_, 0.0);
    expected_.assign(n_classes_ * n_classes_, 0.0);
    const double* starts = weights_.starts.of(Masses());
    masses_.assign(starts, starts + n_classes_);
    double log_scale = weights_.starts.divided(Masses()) +
                       weights_.ends.divided(Masses()) +
                       (n_frames_ - 1) * weights_.pairs.divided(Masses());
    for (int64_t t = 0; t < n_frames_; ++t) {
      if (t > 0) advance<Masses>(t);
      log_scale += show<Masses>(t);
    }
    double total = Masses::zero;
    const Range last = range(n_frames_ - 1);
    for (int64_t j = last.first; j < last.end; ++j) {
      const double ends = weights_.ends.of(Masses())[j];
      total = Masses::plus(total, Masses::times(row(shown_, n_frames_ - 1)[j], ends));
    }
    log_mass = Masses::log(total) + log_scale;
    return go_back<Masses>(total);
  }

  // From the paths that show a label in the frame before to those that lead to each.
  template <class Masses>
  void advance(int64_t t) {
    const double* before = row(shown_, t - 1);
    const double* steps = weights_.pairs.of(Masses());
    const Range from = range(t - 1), to = range(t);
    std::fill(masses_.begin() + to.first, masses_.begin() + to.end, Masses::zero);
    for (int64_t i = from.first; i < from.end; ++i) {
      const double* step = steps + i * n_classes_;
      for (int64_t j = to.first; j < to.end; ++j) {
        masses_[j] = Masses::plus(masses_[j], Masses::times(before[i], step[j]));
      }
    }
  }

  // Show a frame's labels; returns the log of what all masses are divided by.
  template <class Masses>
  double show(int64_t t) {
    const float* scores = scores_ + t * n_classes_;
    double *emission = row(emissions_, t), *shown = row(shown_, t);
    const Range own = range(t);
    values_.assign(scores + own.first, scores + own.end);
    double reference = Masses::reference(values_, 0.0);
    if (reference == -INFINITE) reference = 0.0;
    for (int64_t j = own.first; j < own.end; ++j) {
      emission[j] = Masses::emission(scores[j] - reference);
    }
    double sum = 0.0;
    for (int64_t j = own.first; j < own.end; ++j) {
      shown[j] = Masses::times(masses_[j], emission[j]);
      sum += shown[j];
    }
    return reference + std::log(scale<Masses>(shown, own, sum));
  }

  // Divides masses by a number, which is returned, if their sum is far from 1.
  template <class Masses>
  static double scale(double* masses, Range own, double sum) {
    const double divisor = Masses::divisor(sum);
    if (divisor == 1.0) return 1.0;
    for (int64_t j = own.first; j < own.end; ++j) masses[j] /= divisor;
    return divisor;
  }

  // Add up the paths from each label to the end, and note the share of each label in
  // each frame, and of each pair of labels.
  template <class Masses>
  bool go_back(double total) {
    const double* ends = weights_.ends.of(Masses());
    masses_.assign(ends, ends + n_classes_);
    onward_.resize(n_classes_);
    for (int64_t t = n_frames_ - 1; t >= 0; --t) {
      const Range own = range(t);
      const double sum = meet<Masses>(t, total);
      if (!(sum > Masses::LEAST_TRUSTED)) return false;
      if (t < n_frames_ - 1) expect<Masses>(t, total, sum);
      if (t == 0) break;
      double mass = 0.0;
      for (int64_t j = own.first; j < own.end; ++j) mass += masses_[j];
      scale<Masses>(masses_.data(), own, mass);
      for (int64_t j = own.first; j < own.end; ++j) {
        onward_[j] = Masses::times(row(emissions_, t)[j], masses_[j]);
      }
      retreat<Masses>(t);
    }
    return true;
  }

  // Note the shares of labels among the paths that meet in a frame; returns their sum.
  template <class Masses>
  double meet(int64_t t, double total) {
    double *share = row(shares_, t), sum = 0.0;
    const Range own = range(t);
    for (int64_t j = own.first; j < own.end; ++j) {
      share[j] = Masses::meeting(Masses::times(row(shown_, t)[j], masses_[j]), total);
      sum += share[j];
    }
    for (int64_t j = own.first; j < own.end; ++j) share[j] /= sum;
    return sum;
  }

  // Note the shares of pairs of labels, in a frame and the one after it.
  template <class Masses>
  void expect(int64_t t, double total, double sum) {
    const double *shown = row(shown_, t), *steps = weights_.pairs.of(Masses());
    const Range from = range(t), to = range(t + 1);
    const double share = 1.0 / sum;
    for (int64_t i = from.first; i < from.end; ++i) {
      const double* step = steps + i * n_classes_;
      double* expected = row(expected_, i);
      for (int64_t j = to.first; j < to.end; ++j) {
        const double mass = Masses::times(Masses::times(shown[i], step[j]), onward_[j]);
        expected[j] += Masses::meeting(mass, total) * share;
      }
    }
  }

  // From the paths onward from a frame to those after the frame before.
  template <class Masses>
  void retreat(int64_t t) {
    const double* steps = weights_.pairs.of(Masses());
    const Range from = range(t - 1), to = range(t);
    for (int64_t i = from.first; i < from.end; ++i) {
      const double* step = steps + i * n_classes_;
      double mass = Masses::zero;
      for (int64_t j = to.first; j < to.end; ++j) {
        mass = Masses::plus(mass, Masses::times(step[j], onward_[j]));
      }
      masses_[i] = mass;
    }
  }

  const ChainWeights& weights_;
  const int64_t n_classes_;
  int64_t n_frames_ = 0;
  const float* scores_ = nullptr;
  const int32_t* labels_ = nullptr;  // none where all paths count
  // By frame and label: what the frame gives, and the mass of the paths that show it.
  std::vector<double> emissions_, shown_, shares_;
  std::vector<double> expected_, masses_, onward_, values_;
};

}  // namespace skseq
