// One call of a recurrence by TensorFlow: its sequences, checked.

#pragma once

#include <algorithm>
#include <numeric>

#include "operations.h"
#include "recurrences.h"
#include "share_out.h"

namespace skseq {

// The attributes of an operation.
struct Attributes {
  unsigned char backward = 0, kept = 0;
  int64_t n_threads = 1;

  void read(const Construction& construction) {
    construction.read("n_threads", &n_threads);
    construction.read("backward", &backward);
    construction.read("kept", &kept);
  }
};

// The inputs that all operations have first, in this order.
enum { FRAMES, CONSTANTS, LENGTHS };

// The sequences of a call, and what is seen of them.
class CalledSequences : public Sequences {
 public:
  Inputs inputs;
  int64_t n_steps = 0;  // the sum of lengths

  CalledSequences(Call& call, const Attributes& attributes, int64_t units) {
    n_rows = call.size(FRAMES, "frames", 3, 0);
    n_frames = call.size(FRAMES, "frames", 3, 1);
    n_features = call.size(FRAMES, "frames", 3, 2);
    n_constants = call.size(CONSTANTS, "constants", 2, 1);
    n_units = units;
    backward = attributes.backward;
    inputs.frames = call.input<float>(FRAMES, "frames", {n_rows, n_frames, n_features});
    inputs.constants = call.input<float>(CONSTANTS, "constants", {n_rows, n_constants});
    lengths = call.input<int32_t>(LENGTHS, "lengths", {n_rows});
    check();
    sort();
  }

  // Into how many parts the rows are dealt out, of a cell with so many gates.
  int64_t n_parts(int64_t n_gates, int64_t n_threads) const {
    const int64_t inputs = n_features + n_units;
    return parts_of(n_rows, n_steps * inputs * n_gates * n_units, n_threads);
  }

  // Call work(part, its number), which tells whether memory was enough, for all parts.
  template <class Work>
  void in_parts(int64_t n_parts, Work work) {
    std::vector<int64_t> dealt;
    std::vector<Sequences> parts(n_parts, *this);
    dealt.reserve(n_rows);
    for (int64_t p = 0; p < n_parts; ++p) {
      parts[p].order = dealt.data() + dealt.size();
      for (int64_t i = p; i < n_rows; i += n_parts) dealt.push_back(order[i]);
      parts[p].n_rows = dealt.data() + dealt.size() - parts[p].order;
    }
    in_threads(n_parts, [&](int64_t p) { return work(parts[p], p); });
  }

 private:
  void check() {
    for (int64_t r = 0; r < n_rows; ++r) {
      if (lengths[r] < 0 || lengths[r] > n_frames) {
        throw Failure{TF_INVALID_ARGUMENT,
                      "lengths must be from 0 to " + std::to_string(n_frames) +
                          ". lengths[" + std::to_string(r) + "] is " +
                          std::to_string(lengths[r]) + "."};
      }
    }
    if (n_units < 1) throw Failure{TF_INVALID_ARGUMENT, "There must be units."};
    // Arrays are filled up to whole vectors, of up to 16 units.
    const int64_t padded = n_units + 16;
    for (int64_t n_inputs : {n_features, n_constants, n_units}) {
      Call::count({n_inputs + 16, padded, 4});
    }
    Call::count({n_rows + 1, n_frames + 1, n_features + 1});
    Call::count({n_rows + 1, n_frames + 1, padded, 5});
  }

  void sort() {
    order_.resize(n_rows);
    starts_.resize(n_rows);
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [this](int64_t a, int64_t b) {
      return lengths[a] > lengths[b];
    });
    for (int64_t r = 0; r < n_rows; ++r) {
      starts_[r] = n_steps;
      n_steps += lengths[r];
    }
    order = order_.data();
    starts = starts_.data();
  }

  std::vector<int64_t> order_, starts_;
};

}  // namespace skseq
