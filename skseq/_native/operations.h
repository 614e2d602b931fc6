// Operations of TensorFlow through its C interface: how they are defined, what their
// shapes are, and one call of them, with its inputs, checked, and its outputs.

#pragma once

#include <cstdio>
#include <exception>
#include <initializer_list>
#include <limits>
#include <new>
#include <string>
#include <vector>

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

  // The sizes of an input along all of its axes.
  std::vector<int64_t> any_shape(int i) {
    TF_Tensor* tensor = get(i);
    std::vector<int64_t> sizes(TF_NumDims(tensor));
    for (size_t d = 0; d < sizes.size(); ++d) {
      sizes[d] = TF_Dim(tensor, static_cast<int>(d));
    }
    return sizes;
  }

  // The same of one that must have axes.
  std::vector<int64_t> shape(int i, const char* name) {
    const std::vector<int64_t> sizes = any_shape(i);
    if (sizes.empty()) {
      throw Failure{TF_INVALID_ARGUMENT, std::string(name) + " must have axes."};
    }
    return sizes;
  }

  // The numbers of an input whose shape is known to fit.
  const float* numbers(int i) {
    return static_cast<const float*>(TF_TensorData(get(i)));
  }

  float* output(int i, std::initializer_list<int64_t> shape) {
    count(shape);
    return output(i, std::vector<int64_t>(shape));
  }

  float* output(int i, const std::vector<int64_t>& shape) {
    int64_t n = 1;
    for (int64_t size : shape) n *= size;
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, i, TF_FLOAT, shape.data(),
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
                      "An operation must have fewer than 2**31 numbers in each of its "
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

// Run a call, from whose exceptions TensorFlow's errors are made.
template <class Body>
void guarded(TF_OpKernelContext* context, const char* what, Body body) {
  Call call(context);
  try {
    const TinyAsZero tiny_as_zero;
    body(call);
  } catch (const Failure& failure) {
    call.fail(failure);
  } catch (const std::exception&) {  // no memory, or more than there can be
    call.fail({TF_RESOURCE_EXHAUSTED, std::string(what) + " found too little memory."});
  }
}

// Reads the attributes of an operation that is being made ready.
class Construction {
 public:
  Construction(TF_OpKernelConstruction* construction, TF_Status* status)
      : construction_(construction), status_(status) {}

  void read(const char* name, unsigned char* value) const {
    TF_OpKernelConstruction_GetAttrBool(construction_, name, value, status_);
    check();
  }

  void read(const char* name, int64_t* value) const {
    TF_OpKernelConstruction_GetAttrInt64(construction_, name, value, status_);
    check();
  }

 private:
  void check() const {
    if (TF_GetCode(status_) == TF_OK) return;
    TF_OpKernelConstruction_Failure(construction_, status_);
  }

  TF_OpKernelConstruction* construction_;
  TF_Status* status_;
};

template <class Attributes>
void* create(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes;
  TF_Status* status = TF_NewStatus();
  attributes->read(Construction(construction, status));
  TF_DeleteStatus(status);
  return attributes;
}

template <class Attributes>
void destroy(void* attributes) {
  delete static_cast<Attributes*>(attributes);
}

// What shapes of operations are put together from.
class Shapes {
 public:
  Shapes(TF_ShapeInferenceContext* context, TF_Status* status)
      : context_(context), status_(status) {}
  ~Shapes() {
    for (TF_ShapeHandle* shape : made_) TF_DeleteShapeHandle(shape);
  }

  // The axes from `start` to before `end` of an input that has n_axes.
  TF_ShapeHandle* part(int input, int64_t n_axes, int64_t start, int64_t end) {
    TF_ShapeHandle *whole = make(), *shape = make(), *result = make();
    if (is_good()) TF_ShapeInferenceContextGetInput(context_, input, whole, status_);
    if (is_good()) {
      TF_ShapeInferenceContextWithRank(context_, whole, n_axes, shape, status_);
    }
    if (is_good()) {
      TF_ShapeInferenceContextSubshape(context_, shape, start, end, result, status_);
    }
    return result;
  }

  // All axes of an input but the last.
  TF_ShapeHandle* leading(int input) {
    TF_ShapeHandle *whole = make(), *result = make();
    if (is_good()) TF_ShapeInferenceContextGetInput(context_, input, whole, status_);
    if (is_good()) {
      TF_ShapeInferenceContextSubshape(context_, whole, 0, -1, result, status_);
    }
    return result;
  }

  TF_ShapeHandle* whole(int input) {
    TF_ShapeHandle* result = make();
    if (is_good()) TF_ShapeInferenceContextGetInput(context_, input, result, status_);
    return result;
  }

  TF_ShapeHandle* joined(TF_ShapeHandle* first, TF_ShapeHandle* second) {
    TF_ShapeHandle* result = make();
    if (is_good()) {
      TF_ShapeInferenceContextConcatenateShapes(context_, first, second, result,
                                                status_);
    }
    return result;
  }

  void set(int output, TF_ShapeHandle* shape) {
    if (is_good()) TF_ShapeInferenceContextSetOutput(context_, output, shape, status_);
  }

 private:
  TF_ShapeHandle* make() {
    made_.push_back(TF_NewShapeHandle());
    return made_.back();
  }
  bool is_good() const { return TF_GetCode(status_) == TF_OK; }

  TF_ShapeInferenceContext* context_;
  TF_Status* status_;
  std::vector<TF_ShapeHandle*> made_;
};

struct Definition {
  const char* name;
  std::vector<std::string> inputs, outputs, attributes;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

inline void define(const Definition& d) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(d.name);
  for (const auto& spec : d.inputs) {
    TF_OpDefinitionBuilderAddInput(builder, spec.c_str());
  }
  for (const auto& spec : d.outputs) {
    TF_OpDefinitionBuilderAddOutput(builder, spec.c_str());
  }
  for (const auto& spec : d.attributes) {
    TF_OpDefinitionBuilderAddAttr(builder, spec.c_str());
  }
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, d.infer);
  TF_RegisterOpDefinition(builder, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(
        d.name, TF_NewKernelBuilder(d.name, "CPU", d.create, d.compute, d.destroy),
        status);
  }
  if (TF_GetCode(status) != TF_OK) {
    std::fprintf(stderr, "skseq: %s: %s\n", d.name, TF_Message(status));
  }
  TF_DeleteStatus(status);
}

}  // namespace skseq
