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

#include "lstm.h"
#include "lstm_gradient.h"

namespace {

bool run_lstm(const Sequences& sequences, const Inputs& inputs,
              const LstmWeights& weights, const LstmState& state, float* outputs,
              float* trace) {
  if (sequences.n_rows == 0) return true;
  Lstm lstm(sequences, inputs, weights, state);
  if (!lstm.exists()) return false;
  lstm.run(outputs, trace);
  return true;
}

bool run_lstm_gradient(const Sequences& sequences, const Inputs& inputs,
                       const LstmWeights& weights, const LstmState& state,
                       const float* outputs, const float* trace, const float* upstream,
                       const LstmGradients& gradients) {
  LstmGradient gradient(sequences, inputs, weights, state);
  if (!gradient.exist()) return false;
  gradient.run(outputs, trace, upstream, gradients);
  return true;
}

}  // namespace

const skseq::Kernels skseq::SKSEQ_TABLE(SKSEQ_INSTRUCTIONS) = {
    SKSEQ_TEXT(SKSEQ_INSTRUCTIONS), LANES, N_TRACED, run_lstm, run_lstm_gradient,
};

#endif
