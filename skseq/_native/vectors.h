// Vectors of the widest kind that the compiler was told of, and functions of them.
//
// Compiled once for each instruction set, so everything has internal linkage: a
// function that the linker could share would run everywhere with the instructions of
// one. Fused products are written out (`fused`), never left to the compiler, so that a
// number does not depend on the number of rows that are computed beside it.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SKSEQ_INLINE inline __attribute__((always_inline))

// A loop whose sums must stay in registers stands in a function of its own.
#define SKSEQ_APART __attribute__((noinline))

namespace {

#if defined(__AVX512F__) || defined(SKSEQ_SIXTEEN_LANES)  // tests compile this anywhere
constexpr int64_t LANES = 16, ROWS = 6;
#elif defined(__AVX2__)
constexpr int64_t LANES = 8, ROWS = 3;
#elif defined(__aarch64__)
constexpr int64_t LANES = 4, ROWS = 6;
#else
constexpr int64_t LANES = 4, ROWS = 3;
#endif

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float Loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint32_t Bits __attribute__((vector_size(4 * LANES)));

// Less nothing, and not plus nothing, which would turn -0 into 0 and so take time.
SKSEQ_INLINE Vector filled(float x) { return x - Vector{}; }
SKSEQ_INLINE Vector load(const float* at) {
  return *reinterpret_cast<const Loose*>(at);
}
SKSEQ_INLINE void store(float* at, Vector x) { *reinterpret_cast<Loose*>(at) = x; }

// The first n of a vector, the others zero.
SKSEQ_INLINE Vector load(const float* at, int64_t n) {
  if (n >= LANES) return load(at);
  float numbers[LANES] = {};
  std::memcpy(numbers, at, sizeof(float) * n);
  return load(numbers);
}

SKSEQ_INLINE void store(float* at, Vector x, int64_t n) {
  if (n >= LANES) return store(at, x);
  float numbers[LANES];
  store(numbers, x);
  std::memcpy(at, numbers, sizeof(float) * n);
}

// a b + c, rounded once where the instruction set can.
SKSEQ_INLINE Vector fused(Vector a, Vector b, Vector c) {
#if defined(__AVX512F__)
  return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(SKSEQ_SIXTEEN_LANES)
  return a * b + c;
#elif defined(__AVX2__)
  return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

SKSEQ_INLINE Vector square_root(Vector x) {
#if defined(__AVX512F__)
  return (Vector)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__) && !defined(SKSEQ_SIXTEEN_LANES)
  return (Vector)_mm256_sqrt_ps((__m256)x);
#elif defined(__aarch64__)
  return (Vector)vsqrtq_f32((float32x4_t)x);
#else
  float numbers[LANES];
  store(numbers, x);
  for (float& number : numbers) number = __builtin_sqrtf(number);
  return load(numbers);
#endif
}

// exp(x) as power * (1 + rest), for x from -87 to 88; beyond, as at these ends. NaN
// stays NaN.
struct Exponential {
  Vector power, rest;
};

SKSEQ_INLINE Exponential exponential(Vector x) {
  const Vector lowest = filled(-87.0f), highest = filled(88.0f);
  x = x < lowest ? lowest : x;
  x = x > highest ? highest : x;
  // Added to a small number, it leaves the nearest integer in the last bits.
  const Vector magic = filled(12582912.0f);
  Vector exponent = fused(x, filled(1.44269504088896341f), magic);
  const Bits shifted = (Bits)exponent;
  exponent = exponent - magic;
  x = fused(exponent, filled(-0.693359375f), x);
  x = fused(exponent, filled(2.12194440e-4f), x);
  // Cephes' polynomial (Moshier 1989), which is exact to one or two units.
  Vector sum = filled(1.9875691500e-4f);
  sum = fused(sum, x, filled(1.3981999507e-3f));
  sum = fused(sum, x, filled(8.3334519073e-3f));
  sum = fused(sum, x, filled(4.1665795894e-2f));
  sum = fused(sum, x, filled(1.6666665459e-1f));
  sum = fused(sum, x, filled(5.0000001201e-1f));
  const Bits power = (shifted - 0x4B400000u + 127u) << 23;
  return {(Vector)power, fused(sum * x, x, x)};
}

SKSEQ_INLINE Vector sigmoid(Vector x) {
  const Exponential e = exponential(-x);
  return 1.0f / (1.0f + fused(e.power, e.rest, e.power));
}

// Exact to some units near 0 too, where exp(2 x) - 1 would lose them.
SKSEQ_INLINE Vector hyperbolic_tangent(Vector x) {
  const Vector most = filled(15.0f);
  x = x > most ? most : x;
  const Exponential e = exponential(x + x);
  const Vector less_one = fused(e.power, e.rest, e.power - 1.0f);
  return less_one / (less_one + 2.0f);
}

// Numbers on the heap, from a place where a line of the cache starts.
class Buffer {
 public:
  explicit Buffer(int64_t n) {
    const size_t bytes = sizeof(float) * static_cast<size_t>(n > 0 ? n : 1);
    if (posix_memalign(&at_, 64, bytes) != 0) at_ = nullptr;
    size_ = bytes;
    if (exists()) clear();
  }
  ~Buffer() { std::free(at_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  bool exists() const { return at_ != nullptr; }
  void clear() { std::memset(at_, 0, size_); }
  float* get() const { return static_cast<float*>(at_); }

 private:
  void* at_ = nullptr;
  size_t size_ = 0;
};

}  // namespace
