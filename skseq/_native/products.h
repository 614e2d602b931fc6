// Products of matrices in tiles: as many sums as there are registers for.
//
// Weights of gates are packed in panels: for each vector of units, for each input, the
// weights of all gates of these units. Each sum is added up in the order of its inputs,
// whatever is computed beside it.

#pragma once

#include "vectors.h"

namespace {

// Rows that are few read the weights where they are. For more it pays to put those of
// some units side by side first.
constexpr int64_t FEW_ROWS = 4 * ROWS;

template <int N>
struct Count {
  static constexpr int value = N;
};

template <int N, class Body>
SKSEQ_INLINE void with_count(int64_t n, Body&& body) {
  if constexpr (N == 1) {
    body(Count<1>{});
  } else {
    if (n == N) {
      body(Count<N>{});
    } else {
      with_count<N - 1>(n, body);
    }
  }
}

// Call body(count, first) for all of n rows in tiles of up to ROWS, none too small.
template <class Body>
SKSEQ_INLINE void in_tiles(int64_t n, Body&& body) {
  int64_t first = 0;
  while (first < n) {
    const int64_t left = n - first;
    int64_t size = left;
    if (left > ROWS) size = left < 2 * ROWS ? (left + 1) / 2 : ROWS;
    with_count<ROWS>(size, [&](auto count) { body(count, first); });
    first += size;
  }
}

// sums += the product of R rows, whose numbers are `stride` apart, and a panel, whose
// rows are `width` apart.
template <int R, int N>
SKSEQ_INLINE void add_product(const float* const* rows, int64_t stride,
                              const float* panel, int64_t width, int64_t n,
                              Vector (&sums)[R][N]) {
  const float* row[R];
  for (int r = 0; r < R; ++r) row[r] = rows[r];
  for (int64_t k = 0; k < n; ++k, panel += width) {
    Vector numbers[R];
    for (int r = 0; r < R; ++r) numbers[r] = filled(row[r][k * stride]);
    for (int j = 0; j < N; ++j) {
      const Vector weights = load(panel + j * LANES);
      for (int r = 0; r < R; ++r) sums[r][j] = fused(numbers[r], weights, sums[r][j]);
    }
  }
}

// Weights (n_inputs, n_gates * n_units) to panels, or back (`unpack`). The first gate
// of a panel is that number `first_gate`, and the others follow, round about.
struct Panels {
  int64_t n_gates, n_units, first_gate;

  int64_t gate(int64_t g) const { return (g + first_gate) % n_gates; }

  int64_t width() const { return n_gates * LANES; }
  int64_t count() const { return (n_units + LANES - 1) / LANES; }
  int64_t size(int64_t n_inputs) const { return count() * width() * n_inputs; }

  // Call body(place among weights, place among panels, number of units). Panels may
  // hold more inputs, n_stored, and their rows more numbers, `stored_width`.
  template <class Body>
  void each(int64_t n_inputs, int64_t n_stored, int64_t stored_width, Body body) const {
    for (int64_t p = 0; p < count(); ++p) {
      const int64_t first = p * LANES, left = n_units - first;
      for (int64_t k = 0; k < n_inputs; ++k) {
        for (int64_t g = 0; g < n_gates; ++g) {
          body((k * n_gates + gate(g)) * n_units + first,
               (p * n_stored + k) * stored_width + g * LANES,
               left < LANES ? left : LANES);
        }
      }
    }
  }

  void pack(const float* weights, int64_t n_inputs, float* panels) const {
    each(n_inputs, n_inputs, width(), [&](int64_t from, int64_t to, int64_t n) {
      store(panels + to, load(weights + from, n));
    });
  }

  void unpack(const float* panels, int64_t n_inputs, int64_t n_stored,
              int64_t stored_width, float* weights) const {
    each(n_inputs, n_stored, stored_width, [&](int64_t to, int64_t from, int64_t n) {
      store(weights + to, load(panels + from), n);
    });
  }
};

// Weights the other way round, from gates to inputs: blocks of up to BLOCK vectors of
// inputs, in each of them all gates in the order of the panels.
constexpr int64_t BLOCK = 4;

struct Transposed {
  Panels panels;
  int64_t n_inputs;

  int64_t n_sums() const { return panels.count() * panels.width(); }
  int64_t padded() const { return (n_inputs + LANES - 1) / LANES * LANES; }
  int64_t size() const { return n_sums() * padded(); }

  // Call body(first input, number of vectors) for all blocks.
  template <class Body>
  SKSEQ_INLINE void blocks(Body body) const {
    for (int64_t first = 0; first < padded(); first += BLOCK * LANES) {
      const int64_t left = (padded() - first) / LANES;
      body(first, left < BLOCK ? left : BLOCK);
    }
  }

  // Turn a tile of n_rows of n numbers, by way of a copy whose columns are near each
  // other.
  static void turn(const float* from, int64_t distance, int64_t n_rows, int64_t n,
                   float* to, int64_t width) {
    float tile[LANES][LANES] = {};
    for (int64_t r = 0; r < n_rows; ++r) {
      const Vector row = load(from + r * distance, n);
      for (int64_t u = 0; u < LANES; ++u) tile[u][r] = row[u];
    }
    for (int64_t u = 0; u < n; ++u) store(to + u * width, load(tile[u]));
  }

  // The result must be zero.
  void pack(const float* weights, float* result) const {
    blocks([&](int64_t first, int64_t n_vectors) {
      const int64_t width = n_vectors * LANES, left = n_inputs - first;
      float* block = result + first * n_sums();
      for (int64_t q = 0; q < (left < width ? left : width); q += LANES) {
        const float* rows = weights + (first + q) * panels.n_gates * panels.n_units;
        const int64_t n_rows = left - q < LANES ? left - q : LANES;
        for (int64_t p = 0; p < panels.count(); ++p) {
          for (int64_t g = 0; g < panels.n_gates; ++g) {
            const int64_t unit = p * LANES, n = panels.n_units - unit;
            turn(rows + panels.gate(g) * panels.n_units + unit,
                 panels.n_gates * panels.n_units, n_rows, n < LANES ? n : LANES,
                 block + (p * panels.width() + g * LANES) * width + q, width);
          }
        }
      }
    });
  }

  // results (n, padded()) = gates of n slots times the packed weights. For each panel
  // there are n_slots slots, `slot_width` apart.
  void multiply(const float* gates, int64_t n_slots, int64_t slot_width, int64_t n,
                const float* packed, float* results) const {
    const int64_t width = panels.width();
    blocks([&](int64_t first, int64_t n_vectors) {
      const float* block = packed + first * n_sums();
      with_count<BLOCK>(n_vectors, [&](auto vectors) {
        constexpr int N = decltype(vectors)::value;
        in_tiles(n, [&](auto count, int64_t slot) {
          constexpr int R = decltype(count)::value;
          Vector sums[R][N] = {};
          for (int64_t p = 0; p < panels.count(); ++p) {
            const float* rows[R];
            for (int r = 0; r < R; ++r) {
              rows[r] = gates + (p * n_slots + slot + r) * slot_width;
            }
            add_product<R, N>(rows, 1, block + p * width * N * LANES, N * LANES, width,
                              sums);
          }
          for (int r = 0; r < R; ++r) {
            float* result = results + (slot + r) * padded() + first;
            for (int j = 0; j < N; ++j) store(result + j * LANES, sums[r][j]);
          }
        });
      });
    });
  }
};

// Inputs of slots, ROWS of each slot side by side, and sums of their products with
// gates: gradients of weights.
struct Collected {
  int64_t n_inputs, n_slots;

  int64_t n_stored() const { return (n_inputs + ROWS - 1) / ROWS * ROWS; }
  int64_t size() const { return n_stored() * n_slots; }

  // What is beyond n_inputs must be zero.
  void put(const float* inputs, int64_t slot, float* collected) const {
    float* to = collected + slot * ROWS;
    const int64_t whole = n_inputs / ROWS * ROWS;
    for (int64_t k = 0; k < whole; k += ROWS) {
      std::memcpy(to + k * n_slots, inputs + k, sizeof(float) * ROWS);
    }
    if (whole == n_inputs) return;
    std::memcpy(to + whole * n_slots, inputs + whole,
                sizeof(float) * (n_inputs - whole));
  }

  // panels of N gates, with n_stored() inputs, += inputs of n slots times their gates.
  template <int N>
  void multiply(const float* collected, const float* gates, int64_t slot_width,
                int64_t n, int64_t n_panels, float* panels) const {
    constexpr int R = ROWS;
    for (int64_t p = 0; p < n_panels; ++p) {
      const float* panel = gates + p * n_slots * slot_width;
      for (int64_t k = 0; k < n_stored(); k += R) {
        float* at = panels + (p * n_stored() + k) * N * LANES;
        const float* rows[R];
        Vector sums[R][N];
        for (int r = 0; r < R; ++r) {
          rows[r] = collected + k * n_slots + r;
          for (int j = 0; j < N; ++j) sums[r][j] = load(at + (r * N + j) * LANES);
        }
        add_product<R, N>(rows, R, panel, slot_width, n, sums);
        for (int r = 0; r < R; ++r) {
          for (int j = 0; j < N; ++j) store(at + (r * N + j) * LANES, sums[r][j]);
        }
      }
    }
  }
};

}  // namespace
