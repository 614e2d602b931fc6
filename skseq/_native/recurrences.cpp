// Recurrences over whole sequences as TensorFlow's operations, through its C interface.
//
// Loading the library registers them: SkseqLstm, SkseqGru and their gradients. Their
// kernels are those of the best instruction set that both the library and the processor
// have, or of the one that the environment variable SKSEQ_INSTRUCTIONS names.

#include <array>
#include <cstdlib>
#include <cstring>

#include "operations.h"
#include "recurrence_call.h"

#ifndef SKSEQ_SOURCE
#define SKSEQ_SOURCE 0
#endif
#define SKSEQ_TEXT_OF(number) #number
#define SKSEQ_TEXT(number) SKSEQ_TEXT_OF(number)

// Read from the file, which cannot be loaded without TensorFlow.
extern "C" __attribute__((visibility("default"), used)) const char skseq_checksum[] =
    "skseq-source=" SKSEQ_TEXT(SKSEQ_SOURCE) ";";

using namespace skseq;

namespace {

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

bool has_avx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

const Kernels& choose() {
  const Kernels* usable[3];
  int n = 0;
  if (has_avx512() && avx512_kernels.name) usable[n++] = &avx512_kernels;
  if (has_avx2() && avx2_kernels.name) usable[n++] = &avx2_kernels;
  usable[n++] = &plain_kernels;
  const char* wanted = std::getenv("SKSEQ_INSTRUCTIONS");
  for (int i = 0; wanted != nullptr && i < n; ++i) {
    if (std::strcmp(usable[i]->name, wanted) == 0) return *usable[i];
  }
  return *usable[0];
}

}  // namespace

const Kernels& skseq::kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

namespace {

// The inputs of a cell after the sequences. Those of its gradient after these are the
// memory, which a GRU has not, the outputs, the trace and what comes from above.
enum { KERNEL = LENGTHS + 1, CONSTANTS_KERNEL, RECURRENT_KERNEL, BIAS, OUTPUT, MEMORY };

// A cell that is called: its sequences, weights and state.
struct Called {
  const Cell& cell;
  const int64_t n_units, width;
  CalledSequences sequences;
  Weights weights;
  State state{};

  Called(Call& call, const Attributes& attributes, const Cell& cell)
      : cell(cell),
        n_units(call.size(RECURRENT_KERNEL, "recurrent_kernel", 2, 0)),
        width(cell.n_gates * n_units),
        sequences(call, attributes, n_units) {
    weights.kernel = call.input<float>(KERNEL, "kernel", {sequences.n_features, width});
    weights.constants_kernel = call.input<float>(CONSTANTS_KERNEL, "constants_kernel",
                                                 {sequences.n_constants, width});
    weights.recurrent_kernel =
        call.input<float>(RECURRENT_KERNEL, "recurrent_kernel", {n_units, width});
    weights.bias = cell.n_biases == 1
                       ? call.input<float>(BIAS, "bias", {width})
                       : call.input<float>(BIAS, "bias", {cell.n_biases, width});
    state.output = call.input<float>(OUTPUT, "output", {sequences.n_rows, n_units});
    if (cell.n_states == 1) return;
    state.memory = call.input<float>(MEMORY, "memory", {sequences.n_rows, n_units});
  }

  int64_t n_traced() const {
    return sequences.n_steps * padded_units(n_units, kernels().lanes) * cell.n_traced;
  }
};

void compute_run(Call& call, const Attributes& attributes, const Cell& cell) {
  Called called(call, attributes, cell);
  CalledSequences& s = called.sequences;
  float* outputs = call.output(0, {s.n_rows, s.n_frames, called.n_units});
  float* kept = call.output(1, {attributes.kept ? called.n_traced() : 0});
  float* trace = attributes.kept ? kept : nullptr;
  s.in_parts(s.n_parts(cell.n_gates, attributes.n_threads),
             [&](const Sequences& part, int64_t) {
               return cell.run(part, s.inputs, called.weights, called.state, outputs,
                               trace);
             });
}

// The gradients of weights that parts of the rows give, each of them by itself. Those
// of the first part are the results, to which the others are added in their order.
class WeightGradients {
 public:
  WeightGradients(const Called& called, const Gradients& results, int64_t n_parts)
      : results_(results) {
    const CalledSequences& s = called.sequences;
    sizes_ = {s.n_features * called.width, s.n_constants * called.width,
              called.n_units * called.width, called.cell.n_biases * called.width};
    const int64_t size = std::accumulate(sizes_.begin(), sizes_.end(), int64_t{0});
    others_.assign(n_parts - 1, std::vector<float>(size));
  }

  Gradients of(int64_t part) {
    Gradients gradients = results_;
    if (part > 0) {
      float* at = others_[part - 1].data();
      int i = 0;
      for (float** gradient : all(gradients)) {
        *gradient = at;
        at += sizes_[i++];
      }
    }
    return gradients;
  }

  void add_up() {
    for (const std::vector<float>& other : others_) {
      const float* at = other.data();
      int i = 0;
      for (float** gradient : all(results_)) {
        for (int64_t k = 0; k < sizes_[i]; ++k) (*gradient)[k] += *at++;
        ++i;
      }
    }
  }

 private:
  static std::array<float**, 4> all(Gradients& gradients) {
    return {&gradients.kernel, &gradients.constants_kernel,
            &gradients.recurrent_kernel, &gradients.bias};
  }

  Gradients results_;
  std::array<int64_t, 4> sizes_;
  std::vector<std::vector<float>> others_;
};

void compute_gradient(Call& call, const Attributes& attributes, const Cell& cell) {
  Called called(call, attributes, cell);
  CalledSequences& s = called.sequences;
  const int64_t units = called.n_units, width = called.width;
  const int after = OUTPUT + static_cast<int>(cell.n_states);
  const auto shape = {s.n_rows, s.n_frames, units};
  const float* outputs = call.input<float>(after, "outputs", shape);
  const float* trace = call.input<float>(after + 1, "trace", {called.n_traced()});
  const float* upstream = call.input<float>(after + 2, "upstream", shape);
  Gradients gradients{};
  const bool kept = attributes.kept;
  float* d_frames = call.output(0, {kept ? s.n_rows : 0, s.n_frames, s.n_features});
  gradients.frames = kept ? d_frames : nullptr;
  gradients.constants = call.output(1, {s.n_rows, s.n_constants});
  gradients.kernel = call.output(2, {s.n_features, width});
  gradients.constants_kernel = call.output(3, {s.n_constants, width});
  gradients.recurrent_kernel = call.output(4, {units, width});
  gradients.bias = cell.n_biases == 1 ? call.output(5, {width})
                                      : call.output(5, {cell.n_biases, width});
  gradients.output = call.output(6, {s.n_rows, units});
  if (cell.n_states > 1) gradients.memory = call.output(7, {s.n_rows, units});
  const int64_t n_parts = s.n_parts(cell.n_gates, attributes.n_threads);
  WeightGradients parts(called, gradients, n_parts);
  s.in_parts(n_parts, [&](const Sequences& part, int64_t p) {
    return cell.differentiate(part, s.inputs, called.weights, called.state, outputs,
                              trace, upstream, parts.of(p));
  });
  parts.add_up();
}

template <void (*body)(Call&, const Attributes&, const Cell&), Cell Kernels::*cell>
void compute(void* attributes, TF_OpKernelContext* context) {
  guarded(context, "A recurrence", [&](Call& call) {
    body(call, *static_cast<const Attributes*>(attributes), kernels().*cell);
  });
}

// outputs (n_rows, n_frames, n_units), and a trace, whose size the lengths decide.
void infer_run(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
  Shapes shapes(context, status);
  shapes.set(0, shapes.joined(shapes.part(FRAMES, 3, 0, 2),
                              shapes.part(OUTPUT, 2, 1, 2)));
}

// Each gradient is as what it is the gradient of. That of the frames may be left out.
template <int n_biases, bool has_memory>
void infer_gradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
  Shapes shapes(context, status);
  shapes.set(1, shapes.part(CONSTANTS, 2, 0, 2));
  shapes.set(2, shapes.part(KERNEL, 2, 0, 2));
  shapes.set(3, shapes.part(CONSTANTS_KERNEL, 2, 0, 2));
  shapes.set(4, shapes.part(RECURRENT_KERNEL, 2, 0, 2));
  shapes.set(5, shapes.part(BIAS, n_biases, 0, n_biases));
  shapes.set(6, shapes.part(OUTPUT, 2, 0, 2));
  if (has_memory) shapes.set(7, shapes.part(MEMORY, 2, 0, 2));
}

struct Operation {
  const char* name;
  bool has_memory, is_gradient;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
  void (*compute)(void*, TF_OpKernelContext*);
};

const Operation OPERATIONS[] = {
    {"SkseqLstm", true, false, infer_run, compute<compute_run, &Kernels::lstm>},
    {"SkseqLstmGrad", true, true, infer_gradient<1, true>,
     compute<compute_gradient, &Kernels::lstm>},
    {"SkseqGru", false, false, infer_run, compute<compute_run, &Kernels::gru>},
    {"SkseqGruGrad", false, true, infer_gradient<2, false>,
     compute<compute_gradient, &Kernels::gru>},
};

// What each operation takes and gives, in the order of the enumerations above.
Definition described(const Operation& operation) {
  Definition d;
  d.name = operation.name;
  const std::vector<std::string> first = {"frames", "constants"};
  std::vector<std::string> others = {"kernel", "constants_kernel", "recurrent_kernel",
                                     "bias", "output"};
  if (operation.has_memory) others.push_back("memory");
  for (const auto& name : first) d.inputs.push_back(name + ": float");
  d.inputs.push_back("lengths: int32");
  for (const auto& name : others) d.inputs.push_back(name + ": float");
  if (operation.is_gradient) {
    for (const char* name : {"outputs", "trace", "upstream"}) {
      d.inputs.push_back(name + std::string(": float"));
    }
    for (const auto& name : first) d.outputs.push_back("d_" + name + ": float");
    for (const auto& name : others) d.outputs.push_back("d_" + name + ": float");
  } else {
    d.outputs = {"outputs: float", "trace: float"};
  }
  d.attributes = {"backward: bool", "kept: bool", "n_threads: int"};
  d.infer = operation.infer;
  d.create = create<Attributes>;
  d.compute = operation.compute;
  d.destroy = destroy<Attributes>;
  return d;
}

const bool is_defined = [] {
  for (const Operation& operation : OPERATIONS) define(described(operation));
  return true;
}();

}  // namespace

// The instruction set in use.
extern "C" __attribute__((visibility("default"))) const char* skseq_instructions() {
  return kernels().name;
}
