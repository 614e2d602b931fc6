// Rows of an operation, shared out among threads.

#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "operations.h"

namespace skseq {

// Products, or about as much, below which one more thread takes longer than it saves.
constexpr int64_t LEAST_WORK = int64_t{1} << 21;

// Work on a number that is as much as so many products.
constexpr int64_t WORK_PER_NUMBER = 16;

// Call work(i), which tells whether memory was enough, for all parts, each of them in a
// thread.
template <class Work>
void in_threads(int64_t n_parts, Work work) {
  std::atomic<bool> is_good{true};
  std::atomic<int64_t> next{0};
  const auto run = [&] {
    const TinyAsZero tiny_as_zero;
    for (int64_t i = next++; i < n_parts; i = next++) {
      if (!work(i)) is_good = false;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(n_parts - 1);
  try {
    while (threads.size() < threads.capacity()) threads.emplace_back(run);
  } catch (const std::exception&) {  // fewer threads do
  }
  run();
  for (std::thread& thread : threads) thread.join();
  if (!is_good) throw std::bad_alloc();
}

// Into how many parts rows are shared out: into one, or more where each has enough to
// do.
inline int64_t parts_of(int64_t n_rows, int64_t work, int64_t n_threads) {
  return std::max<int64_t>(1, std::min({n_threads, work / LEAST_WORK, n_rows}));
}

// The same for work(first row, end) and all rows.
template <class Work>
void share_out(int64_t n_rows, int64_t work_per_row, int64_t n_threads, Work work) {
  const int64_t n_parts = parts_of(n_rows, n_rows * work_per_row, n_threads);
  in_threads(n_parts, [&](int64_t i) {
    return work(n_rows * i / n_parts, n_rows * (i + 1) / n_parts);
  });
}

}  // namespace skseq
