// Recurrences over whole sequences as TensorFlow's operations, through its C interface.
//
// Loading the library registers them: SkseqLstm, SkseqGru and their gradients. Their
// kernels are those of the best instruction set that both the library and the processor
// have, or of the one that the environment variable SKSEQ_INSTRUCTIONS names.

#include <cstdlib>
#include <cstring>
#include <new>

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
  const Called called(call, attributes, cell);
  const CalledSequences& s = called.sequences;
  float* outputs = call.output(0, {s.n_rows, s.n_frames, called.n_units});
  float* trace = call.output(1, {attributes.kept ? called.n_traced() : 0});
  if (!cell.run(s, s.inputs, called.weights, called.state, outputs,
                attributes.kept ? trace : nullptr)) {
    throw std::bad_alloc();
  }
}

void compute_gradient(Call& call, const Attributes& attributes, const Cell& cell) {
  const Called called(call, attributes, cell);
  const CalledSequences& s = called.sequences;
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
  if (!cell.differentiate(s, s.inputs, called.weights, called.state, outputs, trace,
                          upstream, gradients)) {
    throw std::bad_alloc();
  }
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
  d.attributes = {"backward: bool", "kept: bool"};
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
