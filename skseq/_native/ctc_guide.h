// What a search is told of a language: skseq/language/_guide.py, compiled.

#pragma once

#include <cmath>

#include "ctc_sample.h"

// One automaton, as skseq/language/_automaton.py keeps it. `table_next` and
// `table_weights` are null where there is no table, `needed_first` where every state may
// end.
struct skseq_automaton {
  const int64_t* firsts;
  const int32_t* labels;
  const int32_t* next_states;
  const double* log_weights;
  const double* final;
  const int32_t* backoff_states;
  const double* backoff_weights;
  const int32_t* table_next;
  const double* table_weights;
  const double* most;
  const double* needed_first;
  const int32_t* needed_label;
  const double* needed_other;
  double scale;
};

// Automata side by side; the first may forbid something.
struct skseq_guide {
  const skseq_automaton* automata;
  int64_t n_automata, n_labels;
  double bonus;
};

namespace skseq {

// Steps of an automaton without a table, as they were found last: prefixes that a beam
// holds ask for the same ones in frame after frame.
class Steps {
 public:
  struct Step {
    double weight;  // NaN where it is not known
    int32_t next;
  };

  explicit Steps(int64_t n_labels) : n_labels_(n_labels) {
    while (n_labels > 0 && 2 * n_rows_ * n_labels <= MOST) n_rows_ *= 2;
    states_.assign(n_rows_, -1);
    steps_.resize(n_rows_ * n_labels);
  }

  Step& of(int32_t state, int32_t label) {
    const int64_t row = (uint32_t(state) * 0x9E3779B9u >> 7) & (n_rows_ - 1);
    Step* steps = steps_.data() + row * n_labels_;
    if (states_[row] != state) {
      states_[row] = state;
      std::fill(steps, steps + n_labels_,
                Step{std::numeric_limits<double>::quiet_NaN(), -1});
    }
    return steps[label];
  }

 private:
  static constexpr int64_t MOST = 1 << 14;

  int64_t n_labels_, n_rows_ = 1;
  std::vector<int32_t> states_;  // of the rows
  std::vector<Step> steps_;
};

class Guide {
 public:
  explicit Guide(const skseq_guide& guide) : guide_(guide) {
    for (int64_t i = 0; i < guide.n_automata; ++i)
      if (guide.automata[i].table_next)
        steps_.emplace_back(0);
      else
        steps_.emplace_back(guide.n_labels);
  }

  int64_t n_automata() const { return guide_.n_automata; }

  // The log-weight that a label adds; minus infinity if it is forbidden.
  double step(const int32_t* states, int32_t label, int32_t* next) {
    double total = guide_.bonus;
    for (int64_t i = 0; i < guide_.n_automata; ++i) {
      const skseq_automaton& automaton = guide_.automata[i];
      const double weight = step(i, states[i], label, next[i]);
      if (weight == -INFINITE) return weight;
      total += automaton.scale * weight;
    }
    return total;
  }

  // A bound of what labels add, but for rounding.
  double most(const int32_t* states) const {
    double total = guide_.bonus;
    for (int64_t i = 0; i < guide_.n_automata; ++i) {
      const skseq_automaton& automaton = guide_.automata[i];
      const double weight = automaton.most[states[i]];
      if (weight == -INFINITE) return weight;
      total += automaton.scale * weight;
    }
    return total;
  }

  double final(const int32_t* states) const {
    double total = 0.0;
    for (int64_t i = 0; i < guide_.n_automata; ++i)
      total += guide_.automata[i].scale * guide_.automata[i].final[states[i]];
    return total;
  }

  bool forbids() const {
    return guide_.n_automata > 0 && guide_.automata[0].needed_first;
  }

  // The frames that are needed after a blank to come to an allowed end.
  double needed_after_blank(const int32_t* states) const {
    return guide_.automata[0].needed_first[states[0]];
  }

  // Whether an allowed end can be reached in so many frames after a blank.
  bool fits_after_blank(const int32_t* states, double n_left) const {
    return needed_after_blank(states) <= n_left;
  }

  // Whether it can after a label.
  bool fits_after_label(const int32_t* states, int32_t last, double n_left) const {
    const skseq_automaton& hard = guide_.automata[0];
    double needed = hard.needed_first[states[0]];
    if (needed > 0.0 && hard.needed_label[states[0]] == last)
      needed = std::min(needed + 1.0, hard.needed_other[states[0]]);
    return needed <= n_left;
  }

 private:
  double step(int64_t i, int32_t state, int32_t label, int32_t& next) {
    const skseq_automaton& automaton = guide_.automata[i];
    if (automaton.table_next) {
      const int64_t cell = state * guide_.n_labels + label;
      next = automaton.table_next[cell];
      return automaton.table_weights[cell];
    }
    Steps::Step& known = steps_[i].of(state, label);
    if (std::isnan(known.weight))
      known.weight = look_up(automaton, state, label, known.next);
    next = known.next;
    return known.weight;
  }

  double look_up(const skseq_automaton& automaton, int32_t state, int32_t label,
                 int32_t& next) const {
    double total = 0.0;
    while (true) {
      const int64_t place = find(automaton, state, label);
      if (place >= 0) {
        next = automaton.next_states[place];
        return total + automaton.log_weights[place];
      }
      total += automaton.backoff_weights[state];
      state = automaton.backoff_states[state];
      if (state < 0) return -INFINITE;
    }
  }

  // The arc of a state that a label takes, or -1.
  int64_t find(const skseq_automaton& automaton, int32_t state, int32_t label) const {
    const int64_t first = automaton.firsts[state], end = automaton.firsts[state + 1];
    if (end - first == guide_.n_labels) return first + label;  // one for each
    const int32_t* labels = automaton.labels;
    const int64_t place =
        std::lower_bound(labels + first, labels + end, label) - labels;
    return place < end && labels[place] == label ? place : -1;
  }

  skseq_guide guide_;
  std::vector<Steps> steps_;  // of each automaton
};

}  // namespace skseq
