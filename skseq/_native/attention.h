// Attention of queries to the states of a source, and its gradients. Nothing depends on
// other samples or on padding, and in the forward run nothing on other queries.

#pragma once

#include "rows.h"

namespace {

using skseq::Attended;
using skseq::AttentionGradients;

// Call body(first vector, number of vectors, number of the last one's numbers) for all
// of n numbers, some vectors at a time.
template <class Body>
SKSEQ_INLINE void in_blocks(int64_t n, Body body) {
  const int64_t whole = n / LANES;
  for (int64_t v = 0; v < whole; v += BLOCK) {
    with_count<BLOCK>(whole - v < BLOCK ? whole - v : BLOCK,
                      [&](auto count) { body(v * LANES, count, LANES); });
  }
  if (whole * LANES < n) body(whole * LANES, Count<1>{}, n - whole * LANES);
}

// Rows of numbers, to be multiplied by a panel: number k of row r.
struct Factors {
  const float* numbers;
  int64_t distance, stride;  // from a row to the next, and from a number to the next
};

// results (n_rows, width) = n numbers of each row times the panel (n, width), each sum
// added up in the order of the panel's rows.
void multiply(const Factors& rows, int64_t n_rows, const float* panel, int64_t n,
              int64_t width, float* results) {
  in_blocks(width, [&](int64_t i, auto vectors, int64_t n_last) {
    constexpr int N = decltype(vectors)::value;
    in_tiles(n_rows, [&](auto count, int64_t first) {
      constexpr int R = decltype(count)::value;
      const float* row[R];
      Vector sums[R][N] = {};
      for (int r = 0; r < R; ++r) row[r] = rows.numbers + (first + r) * rows.distance;
      if (n_last == LANES) {
        add_product<R, N>(row, rows.stride, panel + i, width, n, sums);
      } else {
        for (int64_t k = 0; k < n; ++k) {
          const Vector numbers = load(panel + k * width + i, n_last);
          for (int r = 0; r < R; ++r) {
            sums[r][0] = fused(filled(row[r][k * rows.stride]), numbers, sums[r][0]);
          }
        }
      }
      for (int r = 0; r < R; ++r) {
        float* result = results + (first + r) * width + i;
        for (int j = 0; j < N; ++j) {
          store(result + j * LANES, sums[r][j], j == N - 1 ? n_last : LANES);
        }
      }
    });
  });
}

// sums[r] = what function(vector of `one`, vector of row r, sum, place, count) has made
// of a sum of nothing in the end, added up in the same order whatever R is.
template <int R, class Function>
SKSEQ_INLINE void sum_up(const float* one, const float* rows, int64_t n,
                         Function function, float* sums) {
  Vector parts[R] = {};
  in_vectors(n, [&](int64_t i, int64_t count) {
    const Vector own = load(one + i, count);
    for (int r = 0; r < R; ++r) {
      parts[r] = function(own, load(rows + r * n + i, count), parts[r], i, count);
    }
  });
  float numbers[R][LANES];
  for (int r = 0; r < R; ++r) {
    store(numbers[r], parts[r]);
    sums[r] = 0.0f;
  }
  for (int64_t j = 0; j < LANES; ++j) {
    for (int r = 0; r < R; ++r) sums[r] += numbers[r][j];
  }
}

// Products of one row and each of n_rows others.
void products_with(const float* one, const float* rows, int64_t n_rows, int64_t n,
                   float* results) {
  in_tiles(n_rows, [&](auto count, int64_t first) {
    sum_up<decltype(count)::value>(
        one, rows + first * n, n,
        [](Vector a, Vector b, Vector sum, int64_t, int64_t) {
          return fused(a, b, sum);
        },
        results + first);
  });
}

// The scores of the first n keys.
void compute_scores(const Attended& a, const float* query, const float* keys, int64_t n,
                    float* scores) {
  if (a.score_kernel == nullptr) {
    products_with(query, keys, n, a.n_units, scores);
  } else {
    in_tiles(n, [&](auto count, int64_t first) {
      sum_up<decltype(count)::value>(
          query, keys + first * a.n_units, a.n_units,
          [&](Vector own, Vector key, Vector sum, int64_t i, int64_t count) {
            const Vector kernel = load(a.score_kernel + i, count);
            return fused(hyperbolic_tangent(own + key), kernel, sum);
          },
          scores + first);
    });
  }
  for (int64_t s = 0; s < n; ++s) scores[s] *= a.scale;
}

// Make scores to weights, which add up to 1.
void make_weights(float* scores, int64_t n) {
  const float most = largest(scores, n);
  in_vectors(n, [&](int64_t i, int64_t count) {
    store(scores + i, power(load(scores + i, count) - most), count);
  });
  const float sum = summed(scores, n, [](Vector x) { return x; });
  for (int64_t i = 0; i < n; ++i) scores[i] /= sum;
}

// contexts (n_samples, n_queries, n_features) and weights (n_samples, n_queries,
// n_source) of queries number `first` to before `end`.
void attend(const Attended& a, int64_t first, int64_t end, float* contexts,
            float* weights) {
  while (first < end) {
    const int64_t sample = first / a.n_queries, n = a.lengths[sample];
    const int64_t last = (sample + 1) * a.n_queries < end ? (sample + 1) * a.n_queries
                                                          : end;
    const float* keys = a.keys + sample * a.n_source * a.n_units;
    const float* states = a.states + sample * a.n_source * a.n_features;
    for (int64_t q = first; q < last; ++q) {
      float* own = weights + q * a.n_source;
      compute_scores(a, a.queries + q * a.n_units, keys, n, own);
      make_weights(own, n);
      for (int64_t s = n; s < a.n_source; ++s) own[s] = 0.0f;
    }
    multiply({weights + first * a.n_source, a.n_source, 1}, last - first, states, n,
             a.n_features, contexts + first * a.n_features);
    first = last;
  }
}

// The gradients of the samples number `first` to before `end`.
class AttentionGradient {
 public:
  AttentionGradient(const Attended& attended, const AttentionGradients& gradients)
      : a_(attended), g_(gradients), d_scores_(a_.n_queries * a_.n_source) {}

  bool exists() const { return d_scores_.exists(); }

  void run(int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      point(i);
      clear_padding(g_.keys, a_.n_units);
      clear_padding(g_.states, a_.n_features);
      find_scores();
      multiply({weights_, 1, a_.n_source}, n_, d_contexts_, a_.n_queries,
               a_.n_features, d_states_);
      if (a_.score_kernel == nullptr) {
        pass_products();
      } else {
        pass_tangents(g_.score_kernels + i * a_.n_units);
      }
    }
  }

 private:
  void point(int64_t sample) {
    const int64_t query = sample * a_.n_queries, state = sample * a_.n_source;
    sample_ = sample;
    n_ = a_.lengths[sample];
    queries_ = a_.queries + query * a_.n_units;
    keys_ = a_.keys + state * a_.n_units;
    states_ = a_.states + state * a_.n_features;
    weights_ = g_.weights + query * a_.n_source;
    d_weights_ = g_.d_weights + query * a_.n_source;
    d_contexts_ = g_.d_contexts + query * a_.n_features;
    d_queries_ = g_.queries + query * a_.n_units;
    d_keys_ = g_.keys + state * a_.n_units;
    d_states_ = g_.states + state * a_.n_features;
  }

  void clear_padding(float* numbers, int64_t width) const {
    const int64_t n_padding = a_.n_source - n_;
    if (n_padding == 0) return;
    std::memset(numbers + (sample_ * a_.n_source + n_) * width, 0,
                sizeof(float) * n_padding * width);
  }

  // From the gradients of contexts and weights to those of scores.
  void find_scores() {
    for (int64_t q = 0; q < a_.n_queries; ++q) {
      const float* weights = weights_ + q * a_.n_source;
      const float* upstream = d_weights_ + q * a_.n_source;
      float* d_scores = d_scores_.get() + q * a_.n_source;
      products_with(d_contexts_ + q * a_.n_features, states_, n_, a_.n_features,
                    d_scores);
      float mean = 0.0f;
      for (int64_t s = 0; s < n_; ++s) {
        d_scores[s] += upstream[s];
        mean += weights[s] * d_scores[s];
      }
      for (int64_t s = 0; s < n_; ++s) {
        d_scores[s] = weights[s] * (d_scores[s] - mean) * a_.scale;
      }
    }
  }

  void pass_products() {
    const float* d_scores = d_scores_.get();
    multiply({d_scores, a_.n_source, 1}, a_.n_queries, keys_, n_, a_.n_units,
             d_queries_);
    multiply({d_scores, 1, a_.n_source}, n_, queries_, a_.n_queries, a_.n_units,
             d_keys_);
  }

  // Tangents are computed again, which takes less time than to read them.
  void pass_tangents(float* d_score_kernel) {
    const int64_t n_units = a_.n_units;
    if (n_ > 0) std::memset(d_keys_, 0, sizeof(float) * n_ * n_units);
    in_vectors(n_units, [&](int64_t i, int64_t count) {
      const Vector kernel = load(a_.score_kernel + i, count);
      Vector d_kernel = {};
      for (int64_t q = 0; q < a_.n_queries; ++q) {
        const float* d_scores = d_scores_.get() + q * a_.n_source;
        const Vector query = load(queries_ + q * n_units + i, count);
        Vector d_query = {};
        for (int64_t s = 0; s < n_; ++s) {
          const int64_t at = s * n_units + i;
          const Vector tangent = hyperbolic_tangent(query + load(keys_ + at, count));
          const Vector d_score = filled(d_scores[s]);
          d_kernel = fused(d_score, tangent, d_kernel);
          const Vector d_sum = d_score * fused(-tangent, tangent, filled(1.0f));
          d_query = d_query + d_sum;
          store(d_keys_ + at, load(d_keys_ + at, count) + d_sum, count);
        }
        store(d_queries_ + q * n_units + i, d_query * kernel, count);
      }
      for (int64_t s = 0; s < n_; ++s) {
        const int64_t at = s * n_units + i;
        store(d_keys_ + at, load(d_keys_ + at, count) * kernel, count);
      }
      store(d_score_kernel + i, d_kernel, count);
    });
  }

  const Attended& a_;
  const AttentionGradients& g_;
  Buffer d_scores_;  // (n_queries, n_source)
  int64_t sample_ = 0, n_ = 0;
  const float *queries_, *keys_, *states_, *weights_, *d_weights_, *d_contexts_;
  float *d_queries_, *d_keys_, *d_states_;
};

bool differentiate_attention(const Attended& attended,
                             const AttentionGradients& gradients, int64_t first,
                             int64_t end) {
  AttentionGradient gradient(attended, gradients);
  if (!gradient.exists()) return false;
  gradient.run(first, end);
  return true;
}

}  // namespace
