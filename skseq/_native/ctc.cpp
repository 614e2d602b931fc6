// CTC posteriors: prefix beam search, exact scores, forced alignment, of whole batches.
//
// A plain C interface (at the end) that needs nothing but the C++17 library. A call
// takes a padded batch of log-posteriors whose last column is the blank, and shares its
// samples out among threads. No exception leaves it: every function returns a Status.
// Callers have checked shapes, lengths and label ids (ctc.py).

#include <atomic>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "ctc_guided_search.h"
#include "ctc_lattice.h"
#include "ctc_search.h"

#if defined(_WIN32)
#define SKSEQ_API extern "C" __declspec(dllexport)
#else
#define SKSEQ_API extern "C" __attribute__((visibility("default")))
#endif

#ifndef SKSEQ_SOURCE
#define SKSEQ_SOURCE 0
#endif

using namespace skseq;

namespace {

template <class T>
struct Worker {
  std::vector<double> best_labels;
  Search<T> search;
  GuidedSearch<T> guided_search;
  std::optional<Guide> guide;
  Lattice<T> lattice;
};

// Order a sample's hypotheses by their sum of score and weight, length and labels, and
// keep the first.
void rank(Labellings& found, int64_t n_best) {
  std::vector<int64_t> order(found.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  const auto begin = [&](int64_t i) { return found.labels.begin() + found.starts[i]; };
  const auto length = [&](int64_t i) { return found.starts[i + 1] - found.starts[i]; };
  const auto sum = [&](int64_t i) {
    return found.weights.empty() ? found.scores[i] : found.scores[i] + found.weights[i];
  };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    if (sum(a) != sum(b)) return sum(a) > sum(b);
    if (length(a) != length(b)) return length(a) < length(b);
    return std::lexicographical_compare(begin(a), begin(a + 1), begin(b), begin(b + 1));
  });
  Labellings ranked;
  for (int64_t i : order) {
    if (ranked.size() == n_best) break;
    ranked.labels.insert(ranked.labels.end(), begin(i), begin(i + 1));
    ranked.scores.push_back(found.scores[i]);
    if (!found.weights.empty()) ranked.weights.push_back(found.weights[i]);
    ranked.close();
  }
  std::swap(found, ranked);
}

// Call work(worker, sample) for each sample, in several threads. Of refused samples,
// `refused` names the first: samples are begun in order, and those begun are ended.
template <class T, class Work>
Status share_out(int64_t n_samples, int64_t n_threads, int64_t* refused, Work work) {
  std::atomic<int64_t> next{0}, first_refused{n_samples};
  std::atomic<int32_t> status{DONE};
  const auto fail = [&](Status reason, int64_t sample) {
    int64_t first = first_refused;
    while (sample < first && !first_refused.compare_exchange_weak(first, sample)) {
    }
    status = reason;
  };
  const auto run = [&]() noexcept {
    int64_t sample = 0;
    try {
      Worker<T> worker;
      while (status == DONE && (sample = next++) < n_samples) work(worker, sample);
    } catch (const Refusal& refusal) {
      fail(refusal.status, sample);
    } catch (...) {
      fail(NO_MEMORY, sample);
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(std::max<int64_t>(0, std::min(n_threads, n_samples) - 1));
  try {
    while (threads.size() < threads.capacity()) threads.emplace_back(run);
  } catch (const std::system_error&) {
    // Those that have started do the work.
  }
  run();
  for (std::thread& thread : threads) thread.join();
  *refused = first_refused;
  return static_cast<Status>(status.load());
}

// Run a function whose exceptions stay here.
template <class Body>
Status guarded(Body body) noexcept {
  try {
    return body();
  } catch (const Refusal& refusal) {
    return refusal.status;
  } catch (...) {
    return NO_MEMORY;
  }
}

bool is_too_large(int64_t a, int64_t b, int64_t c = 1) {
  if (a > MOST_ELEMENTS || b > MOST_ELEMENTS || c > MOST_ELEMENTS) return true;
  return a * b > MOST_ELEMENTS || (a * b) * c > MOST_ELEMENTS;
}

}  // namespace

// ---- the interface ------------------------------------------------------------------

// A padded batch: (n_samples, n_frames, n_columns) floats or doubles, and the number of
// frames of each sample.
struct skseq_batch {
  const void* log_probs;
  const int64_t* lengths;
  int64_t n_samples, n_frames, n_columns;
  int32_t is_double;
  int32_t n_threads;
};

struct skseq_hypotheses {
  std::vector<Labellings> samples;
};

namespace {

template <class T>
Sample<T> sample_of(const skseq_batch& batch, int64_t index) {
  const T* frames = static_cast<const T*>(batch.log_probs);
  return Sample<T>{frames + index * batch.n_frames * batch.n_columns,
                   batch.lengths[index], batch.n_columns - 1};
}

// Call work(worker, sample, index) for each sample, of whichever type.
template <class Work>
Status for_each_sample(const skseq_batch& batch, int64_t* refused, Work work) {
  if (is_too_large(batch.n_samples, batch.n_frames, batch.n_columns)) return TOO_LARGE;
  const auto run = [&](auto type) {
    using T = decltype(type);
    return share_out<T>(batch.n_samples, batch.n_threads, refused,
                        [&](Worker<T>& worker, int64_t index) {
                          const Sample<T> sample = sample_of<T>(batch, index);
                          find_best_labels(sample, worker.best_labels);
                          work(worker, sample, index);
                        });
  };
  return batch.is_double ? run(double{}) : run(float{});
}

}  // namespace

// A checksum of the source that the library was compiled from.
SKSEQ_API uint32_t skseq_source() { return SKSEQ_SOURCE; }

// Search each sample, best hypotheses first. A lone finalist is scored only if `scored`
// asks for it. With a guide, which may be null, `lost` and `rival` are logs. The caller
// frees what is found.
SKSEQ_API int32_t skseq_search(const skseq_batch* batch, const skseq_guide* guide,
                               int64_t beam_width, int64_t n_best, double floor,
                               double lost, double rival, int32_t scored,
                               skseq_hypotheses** found, int64_t* refused) {
  *found = nullptr;
  return guarded([&] {
    auto result = std::make_unique<skseq_hypotheses>();
    result->samples.resize(batch->n_samples);
    const Limits limits{beam_width, floor, lost, rival};
    const Status status =
        for_each_sample(*batch, refused, [&](auto& worker, auto sample, int64_t index) {
          Labellings& here = result->samples[index];
          if (guide) {
            if (!worker.guide) worker.guide.emplace(*guide);
            worker.guided_search.run(sample, worker.best_labels, *worker.guide, limits,
                                     here);
          } else {
            worker.search.run(sample, worker.best_labels, limits, here);
          }
          here.scores.assign(here.size(), 0.0);
          if (!scored && here.size() <= 1) return;
          worker.lattice.score(sample, worker.best_labels, here.labels.data(),
                               here.starts.data(), here.size(), here.scores.data());
          rank(here, n_best);
        });
    if (status == DONE) *found = result.release();
    return status;
  });
}

// The number of hypotheses of all samples, and of their labels.
SKSEQ_API void skseq_count(const skseq_hypotheses* found, int64_t* n_hypotheses,
                           int64_t* n_labels) {
  *n_hypotheses = *n_labels = 0;
  for (const Labellings& sample : found->samples) {
    *n_hypotheses += sample.size();
    *n_labels += static_cast<int64_t>(sample.labels.size());
  }
}

// Copy what was found: hypotheses per sample, labels, score and weight per hypothesis,
// labels. Weights are left alone where there was no guide.
SKSEQ_API void skseq_copy(const skseq_hypotheses* found, int64_t* n_hypotheses,
                          int64_t* n_labels, double* scores, double* weights,
                          int64_t* labels) {
  for (const Labellings& sample : found->samples) {
    *n_hypotheses++ = sample.size();
    for (int64_t i = 0; i < sample.size(); ++i) {
      *n_labels++ = sample.starts[i + 1] - sample.starts[i];
      *scores++ = sample.scores[i];
    }
    weights = std::copy(sample.weights.begin(), sample.weights.end(), weights);
    labels = std::copy(sample.labels.begin(), sample.labels.end(), labels);
  }
}

SKSEQ_API void skseq_free(skseq_hypotheses* found) { delete found; }

// Score labellings, those of sample i from row first_rows[i] on; the labels of row j
// start at starts[j].
SKSEQ_API int32_t skseq_score(const skseq_batch* batch, const int64_t* first_rows,
                              const int32_t* labels, const int64_t* starts,
                              double* scores, int64_t* refused) {
  return guarded([&] {
    return for_each_sample(
        *batch, refused, [&](auto& worker, auto sample, int64_t index) {
          const int64_t first = first_rows[index];
          worker.lattice.score(sample, worker.best_labels, labels, starts + first,
                               first_rows[index + 1] - first, scores + first);
        });
  });
}

// Align one labelling per sample: the states of its path, (n_samples, n_frames), and
// its log-probability. Where that is -inf there is no path.
SKSEQ_API int32_t skseq_align(const skseq_batch* batch, const int32_t* labels,
                              const int64_t* starts, int32_t* paths, double* scores,
                              int64_t* refused) {
  return guarded([&] {
    return for_each_sample(
        *batch, refused, [&](auto& worker, auto sample, int64_t index) {
          scores[index] = worker.lattice.align(
              sample, labels + starts[index], starts[index + 1] - starts[index],
              paths + index * batch->n_frames);
        });
  });
}
