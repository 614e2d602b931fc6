// Rows of an operation, shared out among threads.

#pragma once

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "operations.h"

namespace skseq {

// Products, or about as much, below which one more thread takes longer than it saves.
constexpr int64_t LEAST_WORK = int64_t{1} << 21;

// Work on a number that is as much as so many products.
constexpr int64_t WORK_PER_NUMBER = 16;

// Call work(first row, end), which tells whether memory was enough, for all rows: in
// one thread, or in more where each of them has enough to do.
template <class Work>
void share_out(int64_t n_rows, int64_t work_per_row, int64_t n_threads, Work work) {
  const int64_t most = n_rows * work_per_row / LEAST_WORK;
  const int64_t n_parts =
      std::max<int64_t>(1, std::min({n_threads, most, n_rows}));
  std::atomic<bool> is_good{true};
  std::atomic<int64_t> next{0};
  const auto run = [&] {
    const TinyAsZero tiny_as_zero;
    for (int64_t i = next++; i < n_parts; i = next++) {
      if (!work(n_rows * i / n_parts, n_rows * (i + 1) / n_parts)) is_good = false;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(n_parts - 1);
  try {
    while (threads.size() < threads.capacity()) threads.emplace_back(run);
  } catch (const std::system_error&) {  // fewer threads do
  }
  run();
  for (std::thread& thread : threads) thread.join();
  if (!is_good) throw std::bad_alloc();
}

}  // namespace skseq
