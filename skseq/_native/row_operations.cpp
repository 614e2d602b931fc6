// Functions of rows as TensorFlow's operations: SkseqDense, SkseqConvolution,
// SkseqLogSoftmax and SkseqNormalize. A row is the same to the bit whatever is computed
// beside it, and with any number of threads.

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "operations.h"
#include "recurrences.h"

using namespace skseq;

namespace {

// Products, or about as much, below which one more thread takes longer than it saves.
constexpr int64_t LEAST_WORK = int64_t{1} << 21;

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
    throw Failure{TF_INVALID_ARGUMENT, "strides and the kernel's size must be positive."};
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

// Work on a number that is as much as so many products.
constexpr int64_t WORK_PER_NUMBER = 16;

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

template <void (*body)(Call&, const RowAttributes&), class Kind>
Definition described(const char* name, std::vector<std::string> inputs,
                     std::vector<std::string> attributes,
                     void (*infer)(TF_ShapeInferenceContext*, TF_Status*)) {
  attributes.push_back("n_threads: int");
  return {name,  inputs,       {"outputs: float"},  attributes,
          infer, create<Kind>, compute<body, Kind>, destroy<Kind>};
}

const bool is_defined = [] {
  define(described<compute_dense, DenseAttributes>(
      "SkseqDense", {"inputs: float", "kernel: float", "bias: float"}, {"tanh: bool"},
      infer_dense));
  define(described<compute_convolution, ConvolutionAttributes>(
      "SkseqConvolution", {"frames: float", "kernel: float", "bias: float"},
      {"strides: int"}, infer_convolution));
  define(described<compute_log_softmax, PlainAttributes>(
      "SkseqLogSoftmax", {"logits: float"}, {}, infer_same));
  define(described<compute_normalize, PlainAttributes>(
      "SkseqNormalize", {"frames: float", "gamma: float", "beta: float"}, {},
      infer_same));
  return true;
}();

}  // namespace
