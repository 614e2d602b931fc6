// One call of a recurrence by TensorFlow: its inputs, checked, and its outputs.

#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "recurrences.h"
#include "tensorflow_c.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace skseq {

// What ends a call, with the text for TensorFlow's error.
struct Failure {
  int code;
  std::string text;
};

// Numbers too small for full precision count as zero, as in TensorFlow's own threads: a
// call from another thread gives the same bits, and none takes a hundred times as long.
class TinyAsZero {
#if defined(__SSE__)
 public:
  TinyAsZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~TinyAsZero() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
 public:
  TinyAsZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
  }
  ~TinyAsZero() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#endif
};

// The attributes of an operation.
struct Attributes {
  unsigned char backward = 0, kept = 0;
};

class Call {
 public:
  explicit Call(TF_OpKernelContext* context)
      : context_(context), status_(TF_NewStatus()) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  void fail(const Failure& failure) {
    TF_SetStatus(status_, failure.code, failure.text.c_str());
    TF_OpKernelContext_Failure(context_, status_);
  }

  // The numbers of an input that must have this shape.
  template <class T>
  const T* input(int i, const char* name, std::initializer_list<int64_t> shape) {
    TF_Tensor* tensor = get(i);
    bool fits = TF_NumDims(tensor) == static_cast<int>(shape.size());
    for (size_t d = 0; fits && d < shape.size(); ++d) {
      fits = TF_Dim(tensor, static_cast<int>(d)) == shape.begin()[d];
    }
    if (!fits) throw Failure{TF_INVALID_ARGUMENT, describe(name, shape)};
    return static_cast<const T*>(TF_TensorData(tensor));
  }

  // The size of an input along one of its axes.
  int64_t size(int i, const char* name, int n_axes, int axis) {
    TF_Tensor* tensor = get(i);
    if (TF_NumDims(tensor) != n_axes) {
      throw Failure{TF_INVALID_ARGUMENT, std::string(name) + " must have " +
                                             std::to_string(n_axes) + " axes."};
    }
    return TF_Dim(tensor, axis);
  }

  float* output(int i, std::initializer_list<int64_t> shape) {
    const int64_t n = count(shape);
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, i, TF_FLOAT, shape.begin(),
                          static_cast<int>(shape.size()), sizeof(float) * n, status_);
    if (tensor != nullptr) tensors_.push_back(tensor);
    check();
    return static_cast<float*>(TF_TensorData(tensor));
  }

  // The number of elements of a shape; refused from 2**31 on.
  static int64_t count(std::initializer_list<int64_t> shape) {
    int64_t n = 1;
    for (int64_t size : shape) {
      if (size == 0) return 0;
    }
    for (int64_t size : shape) {
      if (size > std::numeric_limits<int32_t>::max() / n) {
        throw Failure{TF_INVALID_ARGUMENT,
                      "A recurrence must have fewer than 2**31 numbers in each of its "
                      "arrays. Pass fewer or shorter sequences at once, or use fewer "
                      "units."};
      }
      n *= size;
    }
    return n;
  }

 private:
  TF_Tensor* get(int i) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, i, &tensor, status_);
    if (tensor != nullptr) tensors_.push_back(tensor);
    check();
    return tensor;
  }

  void check() {
    if (TF_GetCode(status_) == TF_OK) return;
    throw Failure{TF_GetCode(status_), TF_Message(status_)};
  }

  static std::string describe(const char* name, std::initializer_list<int64_t> shape) {
    std::string text = std::string(name) + " must have shape (";
    for (int64_t size : shape) text += std::to_string(size) + ", ";
    return text + ").";
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
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
