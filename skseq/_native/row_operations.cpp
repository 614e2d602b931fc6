// Functions of rows as TensorFlow's operations: SkseqDense, SkseqConvolution,
// SkseqLogSoftmax, SkseqNormalize, SkseqAttention, SkseqLstmStep and SkseqGruStep. A
// row is the same to the bit whatever is beside it, and with any number of threads.

#include <algorithm>
#include <cmath>

#include "operations.h"
#include "recurrences.h"
#include "share_out.h"

using namespace skseq;

namespace {

struct RowAttributes {
  int64_t n_threads = 1, strides = 1;
  unsigned char tanh = 0;
};

struct DenseAttributes : RowAttributes {
  void read(const Construction& construction) {
    construction.read("n_threads", &n_threads);
    construction.read("tanh", &tanh);
  }
};

struct ConvolutionAttributes : RowAttributes {
  void read(const Construction& construction) {
    construction.read("n_threads", &n_threads);
    construction.read("strides", &strides);
  }
};

struct StepAttributes : RowAttributes {
  void read(const Construction&) {}  // one thread is enough
};

struct PlainAttributes : RowAttributes {
  void read(const Construction& construction) {
    construction.read("n_threads", &n_threads);
  }
};

// The product of all sizes but the last.
int64_t n_rows_of(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (size_t d = 0; d + 1 < shape.size(); ++d) n *= shape[d];
  return n;
}

void compute_rows(const Rows& rows, int64_t n_rows, const DenseLayer& layer,
                  const RowAttributes& attributes, float* outputs) {
  if (n_rows == 0 || layer.n_units == 0) return;
  share_out(n_rows, (rows.n_inputs + 1) * layer.n_units, attributes.n_threads,
            [&](int64_t first, int64_t end) {
              return kernels().rows.dense(rows, layer, first, end, outputs);
            });
}

enum { INPUTS, KERNEL, BIAS };

void compute_dense(Call& call, const RowAttributes& attributes) {
  std::vector<int64_t> shape = call.shape(INPUTS, "inputs");
  const int64_t n_inputs = shape.back(), n_rows = n_rows_of(shape);
  const int64_t n_units = call.size(KERNEL, "kernel", 2, 1);
  const DenseLayer layer{call.input<float>(KERNEL, "kernel", {n_inputs, n_units}),
                         call.input<float>(BIAS, "bias", {n_units}), n_units,
                         attributes.tanh != 0};
  shape.back() = n_units;
  const Rows rows{call.numbers(INPUTS), n_inputs, std::max<int64_t>(1, n_rows),
                  n_inputs, 0};
  compute_rows(rows, n_rows, layer, attributes, call.output(0, shape));
}

void compute_convolution(Call& call, const RowAttributes& attributes) {
  const int64_t n_sequences = call.size(INPUTS, "frames", 3, 0);
  const int64_t n_frames = call.size(INPUTS, "frames", 3, 1);
  const int64_t n_features = call.size(INPUTS, "frames", 3, 2);
  const int64_t size = call.size(KERNEL, "kernel", 3, 0);
  const int64_t n_units = call.size(KERNEL, "kernel", 3, 2);
  if (attributes.strides < 1 || size < 1) {
    throw Failure{TF_INVALID_ARGUMENT, "strides and the kernel must be positive."};
  }
  const int64_t n_outputs =
      n_frames < size ? 0 : (n_frames - size) / attributes.strides + 1;
  const DenseLayer layer{
      call.input<float>(KERNEL, "kernel", {size, n_features, n_units}),
      call.input<float>(BIAS, "bias", {n_units}), n_units, false};
  const Rows rows{call.numbers(INPUTS), size * n_features,
                  std::max<int64_t>(1, n_outputs), attributes.strides * n_features,
                  n_frames * n_features};
  compute_rows(rows, n_sequences * n_outputs, layer, attributes,
               call.output(0, std::vector<int64_t>{n_sequences, n_outputs, n_units}));
}

void compute_log_softmax(Call& call, const RowAttributes& attributes) {
  const std::vector<int64_t> shape = call.shape(INPUTS, "logits");
  const int64_t n = shape.back();
  const float* inputs = call.numbers(INPUTS);
  float* outputs = call.output(0, shape);
  share_out(n_rows_of(shape), n * WORK_PER_NUMBER, attributes.n_threads,
            [&](int64_t first, int64_t end) {
              kernels().rows.log_softmax(inputs, n, first, end, outputs);
              return true;
            });
}

enum { GAMMA = 1, BETA };

constexpr float EPSILON = 1e-3f;  // that of Keras

void compute_normalize(Call& call, const RowAttributes& attributes) {
  const std::vector<int64_t> shape = call.shape(INPUTS, "frames");
  const int64_t n = shape.back();
  const float* inputs = call.numbers(INPUTS);
  const Scaling scaling{call.input<float>(GAMMA, "gamma", {n}),
                        call.input<float>(BETA, "beta", {n}), EPSILON};
  float* outputs = call.output(0, shape);
  share_out(n_rows_of(shape), n * WORK_PER_NUMBER, attributes.n_threads,
            [&](int64_t first, int64_t end) {
              kernels().rows.normalize(inputs, n, scaling, first, end, outputs);
              return true;
            });
}

enum { QUERIES, KEYS, STATES, SOURCE_LENGTHS, SCORE_KERNEL };

void compute_attention(Call& call, const RowAttributes& attributes) {
  Attended a;
  a.n_samples = call.size(QUERIES, "queries", 3, 0);
  a.n_queries = call.size(QUERIES, "queries", 3, 1);
  a.n_units = call.size(QUERIES, "queries", 3, 2);
  a.n_source = call.size(STATES, "states", 3, 1);
  a.n_features = call.size(STATES, "states", 3, 2);
  a.queries = call.numbers(QUERIES);
  a.keys = call.input<float>(KEYS, "keys", {a.n_samples, a.n_source, a.n_units});
  a.states =
      call.input<float>(STATES, "states", {a.n_samples, a.n_source, a.n_features});
  a.lengths = call.input<int32_t>(SOURCE_LENGTHS, "lengths", {a.n_samples});
  const bool is_additive = call.size(SCORE_KERNEL, "score_kernel", 1, 0) > 0;
  a.score_kernel =
      is_additive ? call.input<float>(SCORE_KERNEL, "score_kernel", {a.n_units})
                  : nullptr;
  a.scale = is_additive ? 1.0f : 1.0f / std::sqrt(static_cast<float>(a.n_units));
  for (int64_t i = 0; i < a.n_samples; ++i) {
    if (a.lengths[i] >= 0 && a.lengths[i] <= a.n_source) continue;
    throw Failure{TF_INVALID_ARGUMENT,
                  "lengths must be from 0 to " + std::to_string(a.n_source) + "."};
  }
  float* contexts = call.output(
      0, std::vector<int64_t>{a.n_samples, a.n_queries, a.n_features});
  float* weights =
      call.output(1, std::vector<int64_t>{a.n_samples, a.n_queries, a.n_source});
  const int64_t per_number = is_additive ? 4 : 1;
  share_out(a.n_samples * a.n_queries,
            a.n_source * (per_number * a.n_units + a.n_features), attributes.n_threads,
            [&](int64_t first, int64_t end) {
              kernels().rows.attend(a, first, end, contexts, weights);
              return true;
            });
}

// The inputs of a step; a memory follows, where the cell has one.
enum { STEP_FRAMES, STEP_KERNEL, RECURRENT_KERNEL, STEP_BIAS, OUTPUT, MEMORY };

template <Cell Kernels::*kind>
void compute_step(Call& call, const RowAttributes&) {
  const Cell& cell = kernels().*kind;
  StepInputs in;
  in.n_rows = call.size(STEP_FRAMES, "frames", 2, 0);
  in.n_features = call.size(STEP_FRAMES, "frames", 2, 1);
  in.n_units = call.size(RECURRENT_KERNEL, "recurrent_kernel", 2, 0);
  const int64_t width = cell.n_gates * in.n_units;
  const bool has_memory = cell.n_states > 1;
  in.frames = call.numbers(STEP_FRAMES);
  in.output = call.input<float>(OUTPUT, "output", {in.n_rows, in.n_units});
  in.memory = has_memory
                  ? call.input<float>(MEMORY, "memory", {in.n_rows, in.n_units})
                  : nullptr;
  Weights weights{};
  weights.kernel = call.input<float>(STEP_KERNEL, "kernel", {in.n_features, width});
  weights.recurrent_kernel =
      call.input<float>(RECURRENT_KERNEL, "recurrent_kernel", {in.n_units, width});
  weights.bias = cell.n_biases == 1
                     ? call.input<float>(STEP_BIAS, "bias", {width})
                     : call.input<float>(STEP_BIAS, "bias", {cell.n_biases, width});
  const std::vector<int64_t> shape{in.n_rows, in.n_units};
  float* output = call.output(0, shape);
  float* memory = has_memory ? call.output(1, shape) : nullptr;
  if (!cell.step(in, weights, output, memory)) throw std::bad_alloc();
}

template <void (*body)(Call&, const RowAttributes&), class Kind>
void compute(void* attributes, TF_OpKernelContext* context) {
  guarded(context, "A layer", [&](Call& call) {
    body(call, *static_cast<const Kind*>(attributes));
  });
}

// All axes of the inputs but the last, and then the kernel's last one.
void infer_dense(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.joined(shapes.leading(INPUTS), shapes.part(KERNEL, 2, 1, 2)));
}

// Frames are fewer than before, by how many is not told.
void infer_convolution(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

void infer_same(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.whole(INPUTS));
}

void infer_attention(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.joined(shapes.leading(QUERIES), shapes.part(STATES, 3, 2, 3)));
  shapes.set(1, shapes.joined(shapes.leading(QUERIES), shapes.part(STATES, 3, 1, 2)));
}

// The state after is like that before.
template <int n_states>
void infer_step(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  for (int i = 0; i < n_states; ++i) shapes.set(i, shapes.whole(OUTPUT + i));
}

template <void (*body)(Call&, const RowAttributes&), class Kind>
Definition described(const char* name, std::vector<std::string> inputs,
                     std::vector<std::string> attributes,
                     void (*infer)(TF_ShapeInferenceContext*, TF_Status*),
                     std::vector<std::string> outputs = {"outputs: float"}) {
  return {name,  inputs,       outputs,             attributes,
          infer, create<Kind>, compute<body, Kind>, destroy<Kind>};
}

const bool is_defined = [] {
  define(described<compute_dense, DenseAttributes>(
      "SkseqDense", {"inputs: float", "kernel: float", "bias: float"},
      {"tanh: bool", "n_threads: int"}, infer_dense));
  define(described<compute_convolution, ConvolutionAttributes>(
      "SkseqConvolution", {"frames: float", "kernel: float", "bias: float"},
      {"strides: int", "n_threads: int"}, infer_convolution));
  define(described<compute_log_softmax, PlainAttributes>(
      "SkseqLogSoftmax", {"logits: float"}, {"n_threads: int"}, infer_same));
  define(described<compute_normalize, PlainAttributes>(
      "SkseqNormalize", {"frames: float", "gamma: float", "beta: float"},
      {"n_threads: int"}, infer_same));
  define(described<compute_attention, PlainAttributes>(
      "SkseqAttention",
      {"queries: float", "keys: float", "states: float", "lengths: int32",
       "score_kernel: float"},
      {"n_threads: int"}, infer_attention, {"contexts: float", "weights: float"}));
  std::vector<std::string> inputs = {"frames: float", "kernel: float",
                                     "recurrent_kernel: float", "bias: float",
                                     "output: float"};
  define(described<compute_step<&Kernels::gru>, StepAttributes>(
      "SkseqGruStep", inputs, {}, infer_step<1>, {"output_after: float"}));
  inputs.push_back("memory: float");
  define(described<compute_step<&Kernels::lstm>, StepAttributes>(
      "SkseqLstmStep", inputs, {}, infer_step<2>,
      {"output_after: float", "memory_after: float"}));
  return true;
}();

}  // namespace
