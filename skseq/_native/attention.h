// Attention of queries to the states of a source, each row by itself: nothing depends
// on other samples, other queries or padding.

#pragma once

#include "rows.h"

namespace {

using skseq::Attended;

// The score of one key, always added up in the same order.
SKSEQ_INLINE float score_of(const Attended& a, const float* query, const float* key) {
  float parts[LANES];
  Vector sums = {};
  in_vectors(a.n_units, [&](int64_t i, int64_t count) {
    const Vector q = load(query + i, count), k = load(key + i, count);
    const bool is_additive = a.score_kernel != nullptr;
    sums = is_additive ? fused(hyperbolic_tangent(q + k),
                               load(a.score_kernel + i, count), sums)
                       : fused(q, k, sums);
  });
  store(parts, sums);
  float sum = 0.0f;
  for (float part : parts) sum += part;
  return sum * a.scale;
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
  for (int64_t q = first; q < end; ++q) {
    const int64_t sample = q / a.n_queries, n = a.lengths[sample];
    const float* keys = a.keys + sample * a.n_source * a.n_units;
    const float* states = a.states + sample * a.n_source * a.n_features;
    float* own = weights + q * a.n_source;
    for (int64_t s = 0; s < n; ++s) {
      own[s] = score_of(a, a.queries + q * a.n_units, keys + s * a.n_units);
    }
    make_weights(own, n);
    for (int64_t s = n; s < a.n_source; ++s) own[s] = 0.0f;
    in_vectors(a.n_features, [&](int64_t i, int64_t count) {
      Vector sums = {};
      for (int64_t s = 0; s < n; ++s) {
        const Vector state = load(states + s * a.n_features + i, count);
        sums = fused(filled(own[s]), state, sums);
      }
      store(contexts + q * a.n_features + i, sums, count);
    });
  }
}

}  // namespace
