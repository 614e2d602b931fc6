// Rows of a batch, some at a time, the longest first: those that have not ended are the
// first ones, and no number is computed of padding.

#pragma once

#include "recurrences.h"
#include "vectors.h"

namespace {

using skseq::Gradients;
using skseq::Inputs;
using skseq::Sequences;
using skseq::State;
using skseq::Weights;

// More rows read the weights less often, but need more room near the processor.
constexpr int64_t MOST_ROWS = 64;

// Frames of some rows whose weights' gradients are computed in one product.
constexpr int64_t MOST_SLOTS = 128;

struct Block {
  const Sequences& sequences;
  int64_t n_rows;
  int64_t rows[MOST_ROWS], lengths[MOST_ROWS];

  Block(const Sequences& sequences, int64_t first)
      : sequences(sequences), n_rows(sequences.n_rows - first) {
    if (n_rows > MOST_ROWS) n_rows = MOST_ROWS;
    for (int64_t r = 0; r < n_rows; ++r) {
      rows[r] = sequences.order[first + r];
      lengths[r] = sequences.lengths[rows[r]];
    }
  }

  int64_t longest() const { return lengths[0]; }

  // How many rows have a step t, if n have the one before or after it.
  int64_t running(int64_t n, int64_t t) const {
    while (n > 0 && lengths[n - 1] <= t) --n;
    while (n < n_rows && lengths[n] > t) ++n;
    return n;
  }

  // The frame of row r that is read at step t, among all frames of the batch.
  int64_t frame(int64_t r, int64_t t) const {
    return rows[r] * sequences.n_frames + (sequences.backward ? lengths[r] - 1 - t : t);
  }

  // Step t of row r, among all steps of the batch, without padding.
  int64_t step(int64_t r, int64_t t) const {
    return sequences.starts[rows[r]] + t;
  }
};

template <class Body>
void for_each_block(const Sequences& sequences, Body body) {
  for (int64_t first = 0; first < sequences.n_rows; first += MOST_ROWS) {
    body(Block(sequences, first));
  }
}

// Zeros past each length, in an array (n_rows, n_frames, width).
void clear_padding(const Sequences& sequences, int64_t width, float* frames) {
  for (int64_t i = 0; i < sequences.n_rows; ++i) {
    const int64_t r = sequences.order[i], n = sequences.lengths[r];
    const size_t bytes = sizeof(float) * (sequences.n_frames - n) * width;
    if (bytes == 0) continue;
    std::memset(frames + (r * sequences.n_frames + n) * width, 0, bytes);
  }
}

}  // namespace
