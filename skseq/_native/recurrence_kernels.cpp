// The kernels of one instruction set: compiled with its options, under its name.

#include "recurrences.h"

#define SKSEQ_TEXT_OF(name) #name
#define SKSEQ_TEXT(name) SKSEQ_TEXT_OF(name)
#define SKSEQ_TABLE_OF(name) name##_kernels
#define SKSEQ_TABLE(name) SKSEQ_TABLE_OF(name)

namespace skseq {
extern const Kernels SKSEQ_TABLE(SKSEQ_INSTRUCTIONS);  // tests add names of their own
}

// What an instruction set lacks, or a compiler, is compiled to a table of nothing.
#if defined(SKSEQ_LACKING)
const skseq::Kernels skseq::SKSEQ_TABLE(SKSEQ_INSTRUCTIONS) = {};
#else

#include "attention.h"
#include "gradient.h"
#include "gru.h"
#include "lstm.h"
#include "rows.h"
#include "run.h"
#include "step.h"

namespace {

template <class Cell>
bool run(const Sequences& sequences, const Inputs& inputs, const Weights& weights,
         const State& state, float* outputs, float* trace) {
  if (sequences.n_rows == 0) return true;
  Run<Cell> run(sequences, inputs, weights, state);
  if (!run.exists()) return false;
  run.run(outputs, trace);
  return true;
}

template <class Cell>
bool differentiate(const Sequences& sequences, const Inputs& inputs,
                   const Weights& weights, const State& state, const float* outputs,
                   const float* trace, const float* upstream,
                   const Gradients& gradients) {
  Gradient<Cell> gradient(sequences, inputs, weights, state);
  if (!gradient.exists()) return false;
  gradient.run(outputs, trace, upstream, gradients);
  return true;
}

template <class Cell>
bool step(const skseq::StepInputs& inputs, const Weights& weights, float* output,
          float* memory) {
  const Step<Cell> step(inputs, weights);
  if (!step.exists()) return false;
  step.run(output, memory);
  return true;
}

template <class Cell>
constexpr skseq::Cell described() {
  return {Cell::N_INPUT,  Cell::N_BIASES, Cell::HAS_MEMORY ? 2 : 1,
          Cell::N_TRACED, run<Cell>,      differentiate<Cell>,
          step<Cell>};
}

}  // namespace

const skseq::Kernels skseq::SKSEQ_TABLE(SKSEQ_INSTRUCTIONS) = {
    SKSEQ_TEXT(SKSEQ_INSTRUCTIONS), LANES, described<Lstm>(), described<Gru>(),
    {dense, log_softmax, softmax, normalize, attend},
};

#endif
