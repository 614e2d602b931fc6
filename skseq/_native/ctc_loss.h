// The loss of one sequence's labels, and its slopes: skseq/_ctc/loss.py, compiled.

#pragma once

#include "ctc_lattice.h"

namespace skseq {

// Masses of paths as probabilities beside the most probable label of each frame. They
// are brought back to a sum of 1 where they are far from it.
struct ScaledMasses : SumOfProbabilities {
  static constexpr double LEAST_SUM = 0x1p-32, MOST_SUM = 0x1p32;

  // A mass below 1e-308 becomes zero here, which is nothing beside a sum that outweighs
  // it by far. Smaller sums are not to be trusted.
  static constexpr double LEAST_TRUSTED = 1e-200;

  static double reference(const std::vector<double>& values, double) {
    return *std::max_element(values.begin(), values.end());
  }
  static double emission(double value) { return exponential(value); }
  static double divisor(double sum) {
    if (sum >= LEAST_SUM && sum <= MOST_SUM) return 1.0;
    return sum > LEAST_TRUSTED ? sum : std::numeric_limits<double>::quiet_NaN();
  }
  static double log(double mass) { return std::log(mass); }
  static double meeting(double mass, double) { return mass; }
};

// The same in logarithms: slower, and exact however improbable the labels are.
struct LogMasses : SumOfLogs {
  static constexpr double LEAST_TRUSTED = 0.5;

  static double reference(const std::vector<double>&, double log_sum) {
    return log_sum;
  }
  static double emission(double value) { return value; }
  static double divisor(double) { return 1.0; }
  static double log(double mass) { return mass; }
  static double meeting(double mass, double total) { return std::exp(mass - total); }
};

class CtcLoss {
 public:
  // The negative log-probability of all paths that spell the labels (Graves et al.
  // 2006), which must have enough frames. log_sums, (n_frames,), make the logits
  // log-probabilities. `slopes`, of the logits' shape, hold the probabilities, and then
  // the slopes of the loss by each logit.
  double differentiate(const Sample<float>& logits, const double* log_sums,
                       const int32_t* labels, int64_t n_labels, float* slopes) {
    const int64_t n_frames = logits.n_frames, n_classes = logits.n_labels + 1;
    name_columns(labels, n_labels, logits.n_labels);
    double loss;
    if (!sum_up<ScaledMasses>(logits, log_sums, loss) &&
        !sum_up<LogMasses>(logits, log_sums, loss)) {
      // Some logits are not finite.
      const double nan = std::numeric_limits<double>::quiet_NaN();
      std::fill(slopes, slopes + n_frames * n_classes, static_cast<float>(nan));
      return nan;
    }
    for (int64_t t = 0; t < n_frames; ++t) {
      const double* shares = emissions(t);
      for (size_t i = 0; i < used_.size(); ++i) {
        slopes[t * n_classes + used_[i]] -= static_cast<float>(shares[i]);
      }
    }
    return loss;
  }

 private:
  // Number the labels that occur. The blank has the last column, and state 0 shows it.
  void name_columns(const int32_t* labels, int64_t n_labels, int64_t blank) {
    n_labels_ = n_labels;
    used_.assign(labels, labels + n_labels);
    std::sort(used_.begin(), used_.end());
    used_.erase(std::unique(used_.begin(), used_.end()), used_.end());
    columns_.assign(1, static_cast<int64_t>(used_.size()));
    for (int64_t u = 0; u < n_labels; ++u) {
      const auto at = std::lower_bound(used_.begin(), used_.end(), labels[u]);
      columns_.push_back(at - used_.begin());
    }
    used_.push_back(static_cast<int32_t>(blank));
  }

  bool repeats(int64_t u) const { return u > 1 && columns_[u] == columns_[u - 1]; }

  // What a frame gives to each label that occurs, and later the label's share of it.
  double* emissions(int64_t t) { return emissions_.data() + t * used_.size(); }

  // The masses of the paths to each blank, before frame t; those to labels follow.
  double* masses(int64_t t) { return masses_.data() + t * 2 * (n_labels_ + 1); }

  // Add up the paths; false if masses that matter are lost, or some are NaN.
  template <class Masses>
  bool sum_up(const Sample<float>& logits, const double* log_sums, double& loss) {
    n_frames_ = logits.n_frames;
    emissions_.resize(n_frames_ * used_.size());
    masses_.assign((n_frames_ + 1) * 2 * (n_labels_ + 1), Masses::zero);
    masses_[0] = Masses::one;
    double log_scale = 0.0;
    for (int64_t t = 0; t < n_frames_; ++t) {
      log_scale += emit<Masses>(logits.frame(t), log_sums[t], emissions(t));
      log_scale += go_on<Masses>(t);
    }
    const double* blank = masses(n_frames_);
    const double total =
        Masses::plus(blank[n_labels_],
                     n_labels_ ? blank[2 * n_labels_ + 1] : double(Masses::zero));
    loss = -(Masses::log(total) + log_scale);
    return go_back<Masses>(total);
  }

  // Returns the log of what all emissions are divided by.
  template <class Masses>
  double emit(const float* frame, double log_sum, double* emitted) {
    values_.resize(used_.size());
    for (size_t i = 0; i < used_.size(); ++i) values_[i] = frame[used_[i]];
    const double reference = Masses::reference(values_, log_sum);
    for (size_t i = 0; i < used_.size(); ++i) {
      emitted[i] = Masses::emission(values_[i] - reference);
    }
    return reference - log_sum;
  }

  // Returns the log of what all masses are divided by.
  template <class Masses>
  double go_on(int64_t t) {
    double *blank = masses(t + 1), *label = blank + n_labels_ + 1;
    std::copy(masses(t), blank, blank);
    const double* emitted = emissions(t);
    const Band band(n_labels_, n_frames_, t);
    advance<Masses>(
        blank, label, band, emitted[columns_[0]],
        [&](int64_t u) { return emitted[columns_[u]]; },
        [&](int64_t u) { return repeats(u); });
    return std::log(scale<Masses>(blank, label, band));
  }

  // Divides masses of a frame by one number, which is returned.
  template <class Masses>
  static double scale(double* blank, double* label, Band band) {
    double sum = 0.0;
    for (int64_t u = band.first; u <= band.last; ++u) {
      sum += blank[u];
      if (u > 0) sum += label[u];
    }
    const double divisor = Masses::divisor(sum);
    for (int64_t u = band.first; divisor != 1.0 && u <= band.last; ++u) {
      blank[u] /= divisor;
      label[u] /= divisor;
    }
    return divisor;
  }

  // Add up the paths from each state to the end, and note the share of each label in
  // each frame.
  template <class Masses>
  bool go_back(double total) {
    blank_.assign(n_labels_ + 2, Masses::zero);
    label_.assign(n_labels_ + 2, Masses::zero);
    blank_[n_labels_] = Masses::one;
    if (n_labels_ > 0) label_[n_labels_] = Masses::one;
    for (int64_t t = n_frames_ - 1; t >= 0; --t) {
      const double sum = meet<Masses>(t, total);
      if (!(sum > Masses::LEAST_TRUSTED)) return false;
      if (t > 0) retreat<Masses>(t);
      for (size_t i = 0; i < used_.size(); ++i) emissions(t)[i] = shares_[i] / sum;
    }
    return true;
  }

  // Add up, by label, the paths that meet in frame t; returns the sum of all.
  template <class Masses>
  double meet(int64_t t, double total) {
    const double *blank = masses(t + 1), *label = blank + n_labels_ + 1;
    const Band band(n_labels_, n_frames_, t);
    shares_.assign(used_.size(), 0.0);
    double sum = 0.0, blanks = 0.0;
    for (int64_t u = band.first; u <= band.last; ++u) {
      blanks += Masses::meeting(Masses::times(blank[u], blank_[u]), total);
      if (u == 0) continue;
      const double met = Masses::meeting(Masses::times(label[u], label_[u]), total);
      shares_[columns_[u]] += met;
      sum += met;
    }
    shares_[columns_[0]] = blanks;
    return sum + blanks;
  }

  // From the paths after frame t to those after the frame before, in place: from the
  // start, for a state takes from the one after it.
  template <class Masses>
  void retreat(int64_t t) {
    const double* emitted = emissions(t);
    const Band band(n_labels_, n_frames_, t), before(n_labels_, n_frames_, t - 1);
    for (int64_t u = band.first; u <= band.last; ++u) {
      blank_[u] = Masses::times(blank_[u], emitted[columns_[0]]);
      if (u > 0) label_[u] = Masses::times(label_[u], emitted[columns_[u]]);
    }
    for (int64_t u = before.first; u <= before.last; ++u) {
      const double after = Masses::plus(blank_[u], label_[u + 1]);
      const bool is_last = u == n_labels_;
      if (u > 0) {
        const double next = is_last || repeats(u + 1) ? blank_[u] : after;
        label_[u] = Masses::plus(label_[u], next);
      }
      blank_[u] = after;
    }
    scale<Masses>(blank_.data(), label_.data(), before);
  }

  int64_t n_frames_ = 0, n_labels_ = 0;
  std::vector<int32_t> used_;     // the classes that occur, the blank last
  std::vector<int64_t> columns_;  // by state, which of them it shows
  std::vector<double> values_, emissions_, masses_, blank_, label_, shares_;
};

}  // namespace skseq
