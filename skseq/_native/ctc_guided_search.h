// Prefix beam search that is told of a language: skseq/_ctc/guided_search.py, compiled.

#pragma once

#include <functional>

#include "ctc_guide.h"
#include "ctc_masses.h"
#include "ctc_search.h"

namespace skseq {

// The constants of guided_search.py.
constexpr int64_t NEGLIGIBLE_POWER = 60;

// Far more than the rounding of ranks.
constexpr double ROUNDING = 1e-6;

template <class T>
class GuidedSearch {
 public:
  // Find the prefixes that may be the sample's best; `lost` and `rival` are logs.
  void run(const Sample<T>& sample, const std::vector<double>& best_labels,
           Guide& guide, const Limits& limits, Labellings& found) {
    const int64_t n_labels = sample.n_labels;
    limits_ = limits;
    if (std::isnan(limits.floor)) limits_.floor = choose_floor(sample, best_labels);
    begin(guide, n_labels, sample.n_frames);
    bool is_settled = true;  // no path ends in a label, and all prefixes fit
    for (int64_t t = 0; t < sample.n_frames && !beam_.empty(); ++t) {
      const T* frame = sample.frame(t);
      const double blank = frame[n_labels], best = std::max(best_labels[t], blank);
      n_left_ = static_cast<double>(sample.n_frames - 1 - t);
      if (best_labels[t] >= std::min(limits_.floor, blank)) {
        extend(guide, frame, n_labels, best, limits_.floor);
        is_settled = false;
      } else if (!is_settled || n_left_ < tightest_) {
        is_settled = wait(guide, frame, n_labels, best);
      }
    }
    finish(guide, found);
  }

 private:
  struct Held {
    Mass blank;  // of the paths that end in a blank
    Mass label;  // of the paths that end in the last label
    Mass total;
    double log_total;
    double weight;  // of the prefix, in the language
    int32_t node;
    int32_t last;  // the last label, or -1

    double rank() const { return log_total + weight; }
  };
  struct Candidate {
    double log_odds;
    Mass odds;
    int32_t label;
  };
  struct Ranked {
    double rank;
    int32_t slot;
  };
  struct Move {
    double rank;
    double log_mass;
    int32_t slot;
    int32_t column;  // of the candidate that is appended, or -1
  };

  const int32_t* states_of(int32_t node) const { return states_.data() + node * width_; }

  void begin(Guide& guide, int64_t n_labels, int64_t n_frames) {
    width_ = guide.n_automata();
    taken_.assign(n_labels, -1);
    odds_.resize(n_labels + 1, Mass::zero());
    n_known_.assign(n_labels + 1, 0);
    n_read_ = 0;
    tree_.clear();
    weights_.assign(1, 0.0);
    states_.assign(width_, 0);
    next_states_.resize(width_);
    beam_.clear();
    tightest_ = -INFINITE;
    if (guide.forbids()) {
      if (!guide.fits_after_blank(states_.data(), double(n_frames))) return;
      tightest_ = guide.needed_after_blank(states_.data());
    }
    const Mass one = Mass::of(1.0, 0);
    beam_.push_back(Held{one, Mass::zero(), one, 0.0, 0.0, 0, -1});
  }

  void finish(const Guide& guide, Labellings& found) {
    double best = -INFINITE;
    finals_.clear();
    for (const Held& held : beam_) {
      finals_.push_back(guide.final(states_of(held.node)));
      best = std::max(best, held.rank() + finals_.back());
    }
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      const Held& held = beam_[slot];
      if (!(held.rank() + finals_[slot] >= best + limits_.rival)) continue;
      tree_.append_labels(held.node, found.labels);
      found.weights.push_back(held.weight + finals_[slot]);
      found.close();
    }
  }

  // exp of what a label, or the blank, has beside the reference of this frame.
  const Mass& odds_of(const T* frame, int64_t column, double reference) {
    if (n_known_[column] != n_read_) {
      n_known_[column] = n_read_;
      odds_[column] = Mass::exponential(frame[column] - reference);
    }
    return odds_[column];
  }

  // Leave out masses of paths that cannot come to an allowed end, and add up.
  void conclude(const Guide& guide, Held& held) const {
    if (guide.forbids()) {
      const int32_t* states = states_of(held.node);
      if (!guide.fits_after_blank(states, n_left_)) held.blank = Mass::zero();
      if (!guide.fits_after_label(states, held.last, n_left_))
        held.label = Mass::zero();
    }
    held.total = held.blank.plus(held.label);
  }

  void find_logs(std::vector<Held>& beam) {
    values_.resize(beam.size());
    powers_.resize(beam.size());
    logs_.resize(beam.size());
    for (size_t slot = 0; slot < beam.size(); ++slot) {
      values_[slot] = beam[slot].total.value;
      powers_[slot] = static_cast<double>(beam[slot].total.exponent);
    }
    logarithms(values_.data(), powers_.data(), beam.size(), logs_.data());
    for (size_t slot = 0; slot < beam.size(); ++slot)
      beam[slot].log_total = logs_[slot];
  }

  // Pass a quiet frame, in which nothing is appended. Is all mass in blanks after it?
  bool wait(Guide& guide, const T* frame, int64_t n_labels, double best) {
    bool is_settled = true;
    ++n_read_;
    stays_.clear();
    for (const Held& before : beam_) {
      Held held = before;
      held.blank = before.total;
      if (!before.label.is_zero()) {
        held.label =
            before.label.times(odds_of(frame, before.last, frame[n_labels]));
        if (held.label.exponent < held.blank.exponent - NEGLIGIBLE_POWER)
          held.label = Mass::zero();
      }
      conclude(guide, held);
      if (held.total.is_zero()) continue;
      is_settled &= held.label.is_zero();
      stays_.push_back(held);
    }
    if (stays_.empty()) {
      extend(guide, frame, n_labels, best, -INFINITE);
      return false;
    }
    find_logs(stays_);
    std::swap(beam_, stays_);
    if (guide.forbids()) {
      tightest_ = -INFINITE;
      for (const Held& held : beam_)
        tightest_ =
            std::max(tightest_, guide.needed_after_blank(states_of(held.node)));
    }
    return is_settled;
  }

  // Repeat or append a label in a frame, and keep the best prefixes that come out. If
  // none can come to an allowed end, labels below the floor are taken, too.
  void extend(Guide& guide, const T* frame, int64_t n_labels, double best,
              double floor) {
    const double threshold = std::min(floor, best);
    ++n_read_;
    find_candidates(frame, n_labels, threshold, best);
    sort_beam();
    stay(guide, frame, n_labels, threshold, best);
    const double heaviest = grow(guide);
    choose(heaviest + limits_.lost);
    for (const Held& held : beam_) tree_[held.node].slot = -1;
    if (moves_.empty() && threshold > -INFINITE)
      extend(guide, frame, n_labels, best, -INFINITE);
    else
      follow(guide);
  }

  // Find the labels that the frame may append, best first, of equals the lowest.
  void find_candidates(const T* frame, int64_t n_labels, double threshold,
                       double best) {
    find_labels(frame, n_labels, threshold, labels_, values_);
    candidates_.clear();
    for (size_t i = 0; i < labels_.size(); ++i)
      if (values_[i] > -INFINITE)
        candidates_.push_back(Candidate{values_[i] - best,
                                        odds_of(frame, labels_[i], best), labels_[i]});
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) {
                return a.log_odds > b.log_odds ||
                       (a.log_odds == b.log_odds && a.label < b.label);
              });
  }

  // Order the beam best first, of equals the first.
  void sort_beam() {
    ranked_.resize(beam_.size());
    for (size_t slot = 0; slot < beam_.size(); ++slot)
      ranked_[slot] = Ranked{beam_[slot].rank(), static_cast<int32_t>(slot)};
    std::sort(ranked_.begin(), ranked_.end(), [](const Ranked& a, const Ranked& b) {
      return a.rank > b.rank || (a.rank == b.rank && a.slot < b.slot);
    });
    next_.clear();
    for (const Ranked& ranked : ranked_) next_.push_back(beam_[ranked.slot]);
    std::swap(beam_, next_);
    for (size_t slot = 0; slot < beam_.size(); ++slot)
      tree_[beam_[slot].node].slot = static_cast<int32_t>(slot);
  }

  // Compute the masses of the prefixes held, and note those that others grow to.
  void stay(Guide& guide, const T* frame, int64_t n_labels, double threshold,
            double best) {
    const Mass blank_odds = odds_of(frame, n_labels, best);
    stays_.resize(beam_.size());
    first_children_.assign(beam_.size(), -1);
    siblings_.assign(beam_.size(), -1);
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      const Held& held = beam_[slot];
      Held& after = stays_[slot] = held;
      after.blank = held.total.times(blank_odds);
      if (held.node > 0) {
        const Mass odds = odds_of(frame, held.last, best);
        after.label = held.label.times(odds);
        const int32_t parent_slot = tree_[tree_[held.node].parent].slot;
        if (parent_slot >= 0 && frame[held.last] >= threshold) {
          const Held& parent = beam_[parent_slot];
          const Mass& start = held.last == parent.last ? parent.blank : parent.total;
          after.label = after.label.plus(start.times(odds));
          siblings_[slot] = first_children_[parent_slot];
          first_children_[parent_slot] = static_cast<int32_t>(slot);
        }
      }
      conclude(guide, after);
    }
    find_logs(stays_);
  }

  // Rank the extensions that are not held themselves; return the best of all ranks.
  // Left out are those that are surely lost, or worse than as many as the beam holds.
  double grow(Guide& guide) {
    double heaviest = -INFINITE, crowded = INFINITE;
    int64_t n_alive = 0;
    for (const Held& stays : stays_) {
      if (stays.total.is_zero()) continue;
      heaviest = std::max(heaviest, stays.rank());
      crowded = std::min(crowded, stays.rank());
      ++n_alive;
    }
    if (n_alive < limits_.beam_width) crowded = -INFINITE;
    const size_t room = static_cast<size_t>(std::max<int64_t>(
        64, 2 * std::min<int64_t>(limits_.beam_width, MOST_ELEMENTS)));
    grown_.clear();
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      const Held& held = beam_[slot];
      const int32_t* states = states_of(held.node);
      const double bound = held.rank() + guide.most(states) + ROUNDING;
      mark_children(slot, static_cast<int32_t>(slot));
      for (size_t column = 0; column < candidates_.size(); ++column) {
        const Candidate& candidate = candidates_[column];
        const double least = std::max(heaviest + limits_.lost, crowded);
        if (bound + candidate.log_odds < least) break;  // all that follow too
        if (taken_[candidate.label] >= 0) continue;
        Move move{0.0, 0.0, int32_t(slot), int32_t(column)};
        if (!rank_move(guide, held, states, candidate, move)) continue;
        if (move.rank < crowded) continue;
        heaviest = std::max(heaviest, move.rank);
        grown_.push_back(move);
      }
      mark_children(slot, -1);
      if (grown_.size() > room) crowded = std::max(crowded, keep_best(grown_));
    }
    return heaviest;
  }

  // Note for the labels that lead from a prefix to others that are held.
  void mark_children(size_t slot, int32_t mark) {
    for (int32_t child = first_children_[slot]; child >= 0; child = siblings_[child])
      taken_[beam_[child].last] = mark;
  }

  // Rank an extension; false if it cannot come to an allowed end.
  bool rank_move(Guide& guide, const Held& held, const int32_t* states,
                 const Candidate& candidate, Move& move) {
    const bool repeats = candidate.label == held.last;
    const double log_start = repeats ? logarithm(held.blank) : held.log_total;
    const double weight = guide.step(states, candidate.label, next_states_.data());
    if (log_start == -INFINITE || weight == -INFINITE) return false;
    if (guide.forbids() &&
        !guide.fits_after_label(next_states_.data(), candidate.label, n_left_))
      return false;
    move.log_mass = log_start + candidate.log_odds;
    move.rank = move.log_mass + (held.weight + weight);
    return true;
  }

  // Keep as many moves as the beam holds, of equals the first, in order; return the
  // worst rank of them.
  double keep_best(std::vector<Move>& moves) {
    ranks_.clear();
    for (const Move& move : moves) ranks_.push_back(move.rank);
    const auto last = ranks_.begin() + limits_.beam_width - 1;
    std::nth_element(ranks_.begin(), last, ranks_.end(), std::greater<double>());
    const double worst = *last;
    int64_t n_ties = 1;  // that are kept
    for (auto rank = ranks_.begin(); rank != last; ++rank) n_ties += *rank == worst;
    size_t n_kept = 0;
    for (const Move& move : moves) {
      if (move.rank < worst || (move.rank == worst && n_ties-- <= 0)) continue;
      moves[n_kept++] = move;
    }
    moves.resize(n_kept);
    return worst;
  }

  // Keep the best moves, in order; of equals the first.
  void choose(double least) {
    moves_.clear();
    for (size_t slot = 0; slot < stays_.size(); ++slot) {
      const Held& held = stays_[slot];
      if (!held.total.is_zero() && held.rank() >= least)
        moves_.push_back(Move{held.rank(), held.log_total, int32_t(slot), -1});
    }
    for (const Move& move : grown_)
      if (move.rank >= least) moves_.push_back(move);
    if (static_cast<int64_t>(moves_.size()) > limits_.beam_width) keep_best(moves_);
  }

  // Make the beam that the moves lead to.
  void follow(Guide& guide) {
    next_.clear();
    for (const Move& move : moves_) {
      if (move.column < 0) {
        next_.push_back(stays_[move.slot]);
        continue;
      }
      const Held& parent = beam_[move.slot];
      const Candidate& candidate = candidates_[move.column];
      const bool repeats = candidate.label == parent.last;
      const Mass& start = repeats ? parent.blank : parent.total;
      const Mass mass = start.times(candidate.odds);
      const int32_t node = child(guide, parent, candidate.label);
      next_.push_back(Held{Mass::zero(), mass, mass, move.log_mass, weights_[node],
                           node, candidate.label});
    }
    std::swap(beam_, next_);
  }

  // The node of a prefix that a label is appended to, with what the language says.
  int32_t child(Guide& guide, const Held& parent, int32_t label) {
    const int32_t node = tree_.child(parent.node, label);
    if (static_cast<size_t>(node) < weights_.size()) return node;
    const double weight =
        guide.step(states_of(parent.node), label, next_states_.data());
    weights_.push_back(parent.weight + weight);
    states_.insert(states_.end(), next_states_.begin(), next_states_.end());
    return node;
  }

  Limits limits_;
  double n_left_;    // frames after the one that is read
  double tightest_;  // frames that a prefix needs, if all mass is in blanks
  int64_t width_;    // automata
  PrefixTree tree_;
  std::vector<double> weights_;  // of the nodes
  std::vector<int32_t> states_;  // of the nodes, side by side
  std::vector<Held> beam_, next_, stays_;
  std::vector<Candidate> candidates_;  // best first
  std::vector<int32_t> first_children_, siblings_;  // slots of prefixes that are held
  std::vector<int32_t> taken_;  // the slot whose extension by a label is held, or -1
  std::vector<Move> grown_, moves_;
  std::vector<Ranked> ranked_;
  std::vector<int32_t> labels_, next_states_;
  int64_t n_read_;                 // frames so far
  std::vector<int64_t> n_known_;   // frames when a column's odds were computed
  std::vector<Mass> odds_;         // of the columns
  std::vector<double> values_, powers_, logs_, ranks_, finals_;
};

}  // namespace skseq
