// Prefix beam search in one sample's posteriors: skseq/_ctc/search.py, compiled.

#pragma once

#include <cmath>
#include <utility>

#include "ctc_sample.h"

namespace skseq {

// The constants of search.py.
constexpr double MIN_LABEL_LOG_PROB = -6.0;
constexpr double WEAK_MASS = 0.5;
constexpr double NEGLIGIBLE = 1e-18;

// Prefixes as nodes of a tree: a prefix is one node, however often it leaves the beam.
class PrefixTree {
 public:
  struct Node {
    int32_t parent;
    int32_t label;
    int32_t slot;  // its place in the beam, or -1
  };

  void clear() {
    nodes_.assign(1, Node{-1, -1, -1});  // the empty prefix
    table_.assign(256, -1);
  }

  Node& operator[](int32_t node) { return nodes_[node]; }

  // The node of a prefix that a label is appended to.
  int32_t child(int32_t parent, int32_t label) {
    if (2 * nodes_.size() > table_.size()) grow();
    const size_t place = find(parent, label);
    if (table_[place] < 0) {
      if (static_cast<int64_t>(nodes_.size()) >= MOST_ELEMENTS)
        throw Refusal{TOO_LARGE};
      table_[place] = static_cast<int32_t>(nodes_.size());
      nodes_.push_back(Node{parent, label, -1});
    }
    return table_[place];
  }

  size_t size() const { return nodes_.size(); }

  void append_labels(int32_t node, std::vector<int32_t>& labels) const {
    const size_t start = labels.size();
    for (; node > 0; node = nodes_[node].parent) labels.push_back(nodes_[node].label);
    std::reverse(labels.begin() + start, labels.end());
  }

 private:
  // The place of a child in the table, or the free one that it would take.
  size_t find(int32_t parent, int32_t label) const {
    const uint64_t key = (static_cast<uint64_t>(parent) << 32) | uint32_t(label);
    const uint64_t mixed = key * 0x9E3779B97F4A7C15ull;
    const size_t mask = table_.size() - 1;
    size_t place = (mixed ^ (mixed >> 32)) & mask;
    while (table_[place] >= 0 && (nodes_[table_[place]].parent != parent ||
                                  nodes_[table_[place]].label != label))
      place = (place + 1) & mask;
    return place;
  }

  void grow() {
    table_.assign(4 * table_.size(), -1);
    for (size_t node = 1; node < nodes_.size(); ++node)
      table_[find(nodes_[node].parent, nodes_[node].label)] = int32_t(node);
  }

  std::vector<Node> nodes_;
  std::vector<int32_t> table_;  // open addressing; a power of two long
};

struct Limits {
  int64_t beam_width;
  double floor;  // NaN lets each sample choose
  double lost;
  double rival;
};

// What is held of a prefix.
struct Hypothesis {
  double blank;  // mass of the paths that end in a blank
  double label;  // mass of the paths that end in the last label
  int32_t node;
  int32_t last;  // the last label, or -1

  double mass() const { return blank + label; }
};

// A sample whose weak labels add up over its frames is searched without a floor.
template <class T>
double choose_floor(const Sample<T>& sample, const std::vector<double>& best_labels) {
  double bound = 0.0;
  for (double best : best_labels)
    bound += exponential(std::min(best, MIN_LABEL_LOG_PROB));
  if (bound < 0.99 * WEAK_MASS) return MIN_LABEL_LOG_PROB;
  std::vector<double> weak(sample.n_labels, 0.0);
  for (int64_t t = 0; t < sample.n_frames; ++t) {
    const T* frame = sample.frame(t);
    for (int64_t label = 0; label < sample.n_labels; ++label) {
      const double value = frame[label];
      weak[label] += value < MIN_LABEL_LOG_PROB ? exponential(value) : 0.0;
    }
  }
  for (double mass : weak)
    if (mass >= WEAK_MASS) return -INFINITE;
  return MIN_LABEL_LOG_PROB;
}

// Find the labels of a frame that reach a threshold, and their values.
template <class T>
void find_labels(const T* frame, int64_t n_labels, double threshold,
                 std::vector<int32_t>& labels, std::vector<double>& values) {
  constexpr int64_t BLOCK = 16;
  T least = static_cast<T>(threshold);  // rounded up, for comparisons of T
  if (static_cast<double>(least) < threshold)
    least = std::nextafter(least, std::numeric_limits<T>::infinity());
  labels.clear();
  values.clear();
  for (int64_t start = 0; start < n_labels; start += BLOCK) {
    const int64_t end = std::min(n_labels, start + BLOCK);
    bool any = false;
    for (int64_t label = start; label < end; ++label) any |= frame[label] >= least;
    for (int64_t label = start; any && label < end; ++label)
      if (frame[label] >= least) {
        labels.push_back(static_cast<int32_t>(label));
        values.push_back(frame[label]);
      }
  }
}

template <class T>
class Search {
 public:
  // Find the prefixes that may be the sample's best.
  void run(const Sample<T>& sample, const std::vector<double>& best_labels,
           const Limits& limits, Labellings& found) {
    const int64_t n_labels = sample.n_labels;
    limits_ = limits;
    if (std::isnan(limits.floor)) limits_.floor = choose_floor(sample, best_labels);
    tree_.clear();
    columns_.assign(n_labels, -1);
    beam_.assign(1, Hypothesis{1.0, 0.0, 0, -1});
    bool is_settled = true;  // no path ends in a label
    for (int64_t t = 0; t < sample.n_frames; ++t) {
      const T* frame = sample.frame(t);
      const double blank = frame[n_labels];
      if (best_labels[t] >= std::min(limits_.floor, blank)) {
        extend(frame, n_labels, std::max(best_labels[t], blank));
        is_settled = false;
      } else if (!is_settled) {
        is_settled = wait(frame, n_labels);
      }
    }
    double best = 0.0;
    for (const Hypothesis& held : beam_) best = std::max(best, held.mass());
    for (const Hypothesis& held : beam_)
      if (held.mass() >= limits_.rival * best) {
        tree_.append_labels(held.node, found.labels);
        found.close();
      }
  }

 private:
  struct Candidate {
    double score;
    int32_t label;
  };
  struct Ranked {
    double mass;
    int32_t slot;
  };
  struct Move {
    double mass;
    int32_t slot;
    int32_t column;  // of the candidate that is appended, or -1

    bool is_before(const Move& other) const {
      const bool grows = column >= 0, other_grows = other.column >= 0;
      if (grows != other_grows) return !grows;
      return slot < other.slot || (slot == other.slot && column < other.column);
    }
  };

  // Put the frame's values of the prefixes' last labels beside `reference`.
  void find_odds(const T* frame, int64_t n_labels, double reference) {
    values_.resize(beam_.size());
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      const int32_t last = beam_[slot].last;
      values_[slot] = frame[last < 0 ? n_labels : last];
    }
    exponentials(values_, reference, odds_);
  }

  // Pass a quiet frame, in which nothing is appended. Is all mass in blanks after it?
  bool wait(const T* frame, int64_t n_labels) {
    find_odds(frame, n_labels, frame[n_labels]);
    bool is_settled = true;
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      Hypothesis& held = beam_[slot];
      held.blank += held.label;
      held.label *= odds_[slot];
      if (held.label < held.blank * NEGLIGIBLE) held.label = 0.0;
      is_settled &= held.label == 0.0;
    }
    return is_settled;
  }

  // Repeat or append a label in a frame, and keep the best prefixes that come out.
  void extend(const T* frame, int64_t n_labels, double best) {
    const double threshold = std::min(limits_.floor, best);
    find_candidates(frame, n_labels, threshold, best);
    sort_beam();
    stay(frame, n_labels, threshold, best);
    const double heaviest = grow();
    choose(heaviest * limits_.lost);
    for (const Candidate& candidate : candidates_) columns_[candidate.label] = -1;
    follow(heaviest);
  }

  // Find the best labels that the frame may append, of equals the lowest first. Behind
  // `beam_width + 1` of them, none could come into the beam.
  void find_candidates(const T* frame, int64_t n_labels, double threshold,
                       double best) {
    find_labels(frame, n_labels, threshold, labels_, values_);
    exponentials(values_, best, odds_);
    candidates_.resize(labels_.size());
    for (size_t i = 0; i < labels_.size(); ++i)
      candidates_[i] = Candidate{odds_[i], labels_[i]};
    const auto is_better = [](const Candidate& a, const Candidate& b) {
      return a.score > b.score || (a.score == b.score && a.label < b.label);
    };
    const int64_t room = limits_.beam_width + 1;
    if (static_cast<int64_t>(candidates_.size()) > room) {
      std::nth_element(candidates_.begin(), candidates_.begin() + room,
                       candidates_.end(), is_better);
      candidates_.resize(room);
    }
    std::sort(candidates_.begin(), candidates_.end(), is_better);
    for (size_t column = 0; column < candidates_.size(); ++column)
      columns_[candidates_[column].label] = static_cast<int32_t>(column);
  }

  // Order the beam best first, of equals the first.
  void sort_beam() {
    ranked_.resize(beam_.size());
    for (size_t slot = 0; slot < beam_.size(); ++slot)
      ranked_[slot] = Ranked{beam_[slot].mass(), static_cast<int32_t>(slot)};
    std::sort(ranked_.begin(), ranked_.end(), [](const Ranked& a, const Ranked& b) {
      return a.mass > b.mass || (a.mass == b.mass && a.slot < b.slot);
    });
    next_.clear();
    for (const Ranked& ranked : ranked_) next_.push_back(beam_[ranked.slot]);
    std::swap(beam_, next_);
    for (size_t slot = 0; slot < beam_.size(); ++slot)
      tree_[beam_[slot].node].slot = static_cast<int32_t>(slot);
  }

  // Compute the masses of the prefixes held, and those that grow to prefixes held.
  void stay(const T* frame, int64_t n_labels, double threshold, double best) {
    find_odds(frame, n_labels, best);
    const double blank_odds = exponential(frame[n_labels] - best);
    stays_.resize(beam_.size());
    held_.clear();
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      const Hypothesis& held = beam_[slot];
      stays_[slot] = held;
      stays_[slot].blank = held.mass() * blank_odds;
      stays_[slot].label = held.label * odds_[slot];
      if (held.node == 0 || frame[held.last] < threshold) continue;
      const int32_t parent_slot = tree_[tree_[held.node].parent].slot;
      if (parent_slot < 0) continue;
      const Hypothesis& parent = beam_[parent_slot];
      const double start = held.last == parent.last ? parent.blank : parent.mass();
      stays_[slot].label += start * odds_[slot];
      if (columns_[held.last] >= 0)
        held_.push_back(Move{0.0, parent_slot, columns_[held.last]});
    }
  }

  // Compute the masses of extensions that are not held themselves; return the best of
  // all masses. Left out are moves that at least `beam_width` others are no worse than:
  // of the n-th best prefix and the m-th best label, all moves of the better prefixes
  // and labels but one a prefix, that which repeats its last label.
  double grow() {
    double heaviest = 0.0;
    for (const Hypothesis& stays : stays_) heaviest = std::max(heaviest, stays.mass());
    const double hopeless = heaviest * limits_.lost;
    const int64_t n_candidates = static_cast<int64_t>(candidates_.size());
    grown_.clear();
    firsts_.assign(1, 0);
    for (size_t slot = 0; slot < beam_.size(); ++slot) {
      const Hypothesis& held = beam_[slot];
      const double mass = held.mass();
      const int64_t n_moves =
          std::min(n_candidates, limits_.beam_width / int64_t(slot + 1) + 1);
      for (int64_t column = 0; column < n_moves; ++column) {
        const Candidate& candidate = candidates_[column];
        if (mass * candidate.score < hopeless) break;  // all that follow too
        const double start = candidate.label == held.last ? held.blank : mass;
        grown_.push_back(Move{start * candidate.score, int32_t(slot), int32_t(column)});
      }
      firsts_.push_back(static_cast<int64_t>(grown_.size()));
    }
    for (const Move& held : held_) {
      const int64_t place = firsts_[held.slot] + held.column;
      if (place < firsts_[held.slot + 1]) grown_[place].mass = 0.0;
    }
    for (const Move& move : grown_) heaviest = std::max(heaviest, move.mass);
    return heaviest;
  }

  // Keep the best moves, in order; of equals the first.
  void choose(double least) {
    moves_.clear();
    for (size_t slot = 0; slot < stays_.size(); ++slot) {
      const double mass = stays_[slot].mass();
      if (mass > 0.0 && mass >= least) moves_.push_back(Move{mass, int32_t(slot), -1});
    }
    for (const Move& move : grown_)
      if (move.mass > 0.0 && move.mass >= least) moves_.push_back(move);
    if (static_cast<int64_t>(moves_.size()) <= limits_.beam_width) return;
    std::nth_element(moves_.begin(), moves_.begin() + limits_.beam_width, moves_.end(),
                     [](const Move& a, const Move& b) {
                       return a.mass > b.mass || (a.mass == b.mass && a.is_before(b));
                     });
    moves_.resize(limits_.beam_width);
    std::sort(moves_.begin(), moves_.end(),
              [](const Move& a, const Move& b) { return a.is_before(b); });
  }

  // Make the beam that the moves lead to. Masses are scaled by a power of two, which
  // rounds nothing.
  void follow(double heaviest) {
    int exponent;
    std::frexp(heaviest, &exponent);
    const double scale = std::ldexp(1.0, -exponent);
    for (const Hypothesis& held : beam_) tree_[held.node].slot = -1;
    next_.clear();
    for (const Move& move : moves_) {
      Hypothesis held = stays_[move.slot];
      if (move.column < 0) {
        held.blank *= scale;
        held.label *= scale;
      } else {
        const int32_t label = candidates_[move.column].label;
        const int32_t node = tree_.child(held.node, label);
        held = Hypothesis{0.0, move.mass * scale, node, label};
      }
      next_.push_back(held);
    }
    std::swap(beam_, next_);
  }

  Limits limits_;
  PrefixTree tree_;
  std::vector<Hypothesis> beam_, next_, stays_;
  std::vector<Candidate> candidates_;  // best first
  std::vector<int32_t> columns_;       // of a label among the candidates, or -1
  std::vector<Move> held_, grown_, moves_;
  std::vector<int64_t> firsts_;  // of a slot's moves in grown_
  std::vector<Ranked> ranked_;
  std::vector<int32_t> labels_;
  std::vector<double> values_, odds_;
};

}  // namespace skseq
