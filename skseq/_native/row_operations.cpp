// Functions of rows as TensorFlow's operations: SkseqDense, SkseqConvolution,
// SkseqLogSoftmax, SkseqCrossEntropy, SkseqNormalize, SkseqAttention, SkseqLstmStep and
// SkseqGruStep, and the gradients of two of them. A row is the same to the bit
// whatever is beside it, and with any number of threads.

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

enum { LABELS = 1, SMOOTHING, SUMS, UPSTREAM };

Labelled read_labelled(Call& call) {
  Labelled rows;
  const int64_t n_rows = call.size(INPUTS, "logits", 2, 0);
  rows.n_ids = call.size(INPUTS, "logits", 2, 1);
  rows.logits = call.numbers(INPUTS);
  rows.labels = call.input<int32_t>(LABELS, "labels", {n_rows});
  rows.smoothing = *call.input<float>(SMOOTHING, "smoothing", {});
  for (int64_t i = 0; i < n_rows; ++i) {
    if (rows.labels[i] >= 0 && rows.labels[i] < rows.n_ids) continue;
    throw Failure{TF_INVALID_ARGUMENT,
                  "labels must be from 0 to " + std::to_string(rows.n_ids - 1) + "."};
  }
  return rows;
}

void compute_cross_entropy(Call& call, const RowAttributes& attributes) {
  const Labelled rows = read_labelled(call);
  const int64_t n_rows = call.size(INPUTS, "logits", 2, 0);
  float* losses = call.output(0, std::vector<int64_t>{n_rows});
  float* sums = call.output(1, std::vector<int64_t>{n_rows, 2});
  share_out(n_rows, rows.n_ids * WORK_PER_NUMBER, attributes.n_threads,
            [&](int64_t first, int64_t end) {
              kernels().rows.cross_entropy(rows, first, end, losses, sums);
              return true;
            });
}

void compute_cross_entropy_gradient(Call& call, const RowAttributes& attributes) {
  const Labelled rows = read_labelled(call);
  const int64_t n_rows = call.size(INPUTS, "logits", 2, 0);
  const float* sums = call.input<float>(SUMS, "sums", {n_rows, 2});
  const float* upstream = call.input<float>(UPSTREAM, "upstream", {n_rows});
  float* d_logits = call.output(0, std::vector<int64_t>{n_rows, rows.n_ids});
  share_out(n_rows, rows.n_ids * WORK_PER_NUMBER, attributes.n_threads,
            [&](int64_t first, int64_t end) {
              kernels().rows.differentiate_cross_entropy(rows, sums, upstream, first,
                                                         end, d_logits);
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

// The inputs of attention and of its gradient.
Attended read_attended(Call& call) {
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
  return a;
}

// A hyperbolic tangent is as much work as so many products.
constexpr int64_t WORK_PER_TANGENT = 8;

int64_t work_per_query(const Attended& a) {
  const int64_t per_unit = a.score_kernel == nullptr ? 1 : WORK_PER_TANGENT;
  return a.n_source * (per_unit * a.n_units + a.n_features);
}

void compute_attention(Call& call, const RowAttributes& attributes) {
  const Attended a = read_attended(call);
  float* contexts = call.output(
      0, std::vector<int64_t>{a.n_samples, a.n_queries, a.n_features});
  float* weights =
      call.output(1, std::vector<int64_t>{a.n_samples, a.n_queries, a.n_source});
  share_out(a.n_samples * a.n_queries, work_per_query(a), attributes.n_threads,
            [&](int64_t first, int64_t end) {
              kernels().rows.attend(a, first, end, contexts, weights);
              return true;
            });
}

// What the gradient of attention takes beside its inputs.
enum { FOUND_WEIGHTS = SCORE_KERNEL + 1, D_CONTEXTS, D_WEIGHTS };

// Samples are shared out. What each gives to the score kernel is added up in their
// order, so that no bit depends on the number of threads.
void compute_attention_gradient(Call& call, const RowAttributes& attributes) {
  const Attended a = read_attended(call);
  const int64_t n = a.n_samples;
  const bool is_additive = a.score_kernel != nullptr;
  std::vector<float> score_kernels(is_additive ? n * a.n_units : 0);
  AttentionGradients to{};
  to.weights =
      call.input<float>(FOUND_WEIGHTS, "weights", {n, a.n_queries, a.n_source});
  to.d_contexts =
      call.input<float>(D_CONTEXTS, "d_contexts", {n, a.n_queries, a.n_features});
  to.d_weights =
      call.input<float>(D_WEIGHTS, "d_weights", {n, a.n_queries, a.n_source});
  to.queries =
      call.output(QUERIES, std::vector<int64_t>{n, a.n_queries, a.n_units});
  to.keys = call.output(KEYS, std::vector<int64_t>{n, a.n_source, a.n_units});
  to.states = call.output(STATES, std::vector<int64_t>{n, a.n_source, a.n_features});
  to.score_kernels = score_kernels.data();
  const int64_t n_kernel_units = is_additive ? a.n_units : 0;
  float* sum = call.output(STATES + 1, std::vector<int64_t>{n_kernel_units});
  share_out(n, 2 * a.n_queries * work_per_query(a), attributes.n_threads,
            [&](int64_t first, int64_t end) {
              return kernels().rows.differentiate_attention(a, to, first, end);
            });
  std::fill(sum, sum + n_kernel_units, 0.0f);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t u = 0; u < n_kernel_units; ++u) {
      sum[u] += score_kernels[i * n_kernel_units + u];
    }
  }
}

// The inputs of a step; a memory follows, where the cell has one.
enum { STEP_FRAMES, STEP_KERNEL, RECURRENT_KERNEL, STEP_BIAS, OUTPUT, MEMORY };

template <Cell Kernels::*kind>
void compute_step(Call& call, const RowAttributes& attributes) {
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
  share_out(in.n_rows, (in.n_features + in.n_units) * width, attributes.n_threads,
            [&](int64_t first, int64_t end) {
              StepInputs part = in;
              const int64_t at = first * in.n_units;
              part.n_rows = end - first;
              part.frames += first * in.n_features;
              part.output += at;
              if (has_memory) part.memory += at;
              return cell.step(part, weights, output + at,
                               has_memory ? memory + at : nullptr);
            });
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

void infer_losses(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.whole(LABELS));
}

void infer_attention(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.joined(shapes.leading(QUERIES), shapes.part(STATES, 3, 2, 3)));
  shapes.set(1, shapes.joined(shapes.leading(QUERIES), shapes.part(STATES, 3, 1, 2)));
}

// Gradients are like what they are of.
void infer_attention_gradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  for (int i : {QUERIES, KEYS, STATES}) shapes.set(i, shapes.whole(i));
  shapes.set(STATES + 1, shapes.whole(SCORE_KERNEL));
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
  define(described<compute_cross_entropy, PlainAttributes>(
      "SkseqCrossEntropy", {"logits: float", "labels: int32", "smoothing: float"},
      {"n_threads: int"}, infer_losses, {"losses: float", "sums: float"}));
  define(described<compute_cross_entropy_gradient, PlainAttributes>(
      "SkseqCrossEntropyGrad",
      {"logits: float", "labels: int32", "smoothing: float", "sums: float",
       "upstream: float"},
      {"n_threads: int"}, infer_same));
  define(described<compute_normalize, PlainAttributes>(
      "SkseqNormalize", {"frames: float", "gamma: float", "beta: float"},
      {"n_threads: int"}, infer_same));
  define(described<compute_attention, PlainAttributes>(
      "SkseqAttention",
      {"queries: float", "keys: float", "states: float", "lengths: int32",
       "score_kernel: float"},
      {"n_threads: int"}, infer_attention, {"contexts: float", "weights: float"}));
  define(described<compute_attention_gradient, PlainAttributes>(
      "SkseqAttentionGrad",
      {"queries: float", "keys: float", "states: float", "lengths: int32",
       "score_kernel: float", "weights: float", "d_contexts: float",
       "d_weights: float"},
      {"n_threads: int"}, infer_attention_gradient,
      {"d_queries: float", "d_keys: float", "d_states: float",
       "d_score_kernel: float"}));
  std::vector<std::string> inputs = {"frames: float", "kernel: float",
                                     "recurrent_kernel: float", "bias: float",
                                     "output: float"};
  define(described<compute_step<&Kernels::gru>, PlainAttributes>(
      "SkseqGruStep", inputs, {"n_threads: int"}, infer_step<1>,
      {"output_after: float"}));
  inputs.push_back("memory: float");
  define(described<compute_step<&Kernels::lstm>, PlainAttributes>(
      "SkseqLstmStep", inputs, {"n_threads: int"}, infer_step<2>,
      {"output_after: float", "memory_after: float"}));
  return true;
}();

}  // namespace
