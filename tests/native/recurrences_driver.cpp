// Runs the kernels of one instruction set on random batches, without TensorFlow: under
// the sanitizers, each array has exactly the room that the kernels may use.
//
//     driver SEED N_BATCHES
//
// Outputs are compared with a loop over single numbers in double precision, gradients
// with differences of this loop's outputs.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

#include "recurrences.h"

#define TABLE_OF(name) name##_kernels
#define TABLE(name) TABLE_OF(name)

namespace skseq {
extern const Kernels TABLE(SKSEQ_INSTRUCTIONS);
}

namespace {

const skseq::Kernels& kernels = skseq::TABLE(SKSEQ_INSTRUCTIONS);

using Numbers = std::vector<float>;
using Random = std::mt19937;

int64_t drawn(Random& random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(random);
}

Numbers noise(Random& random, int64_t n) {
  std::normal_distribution<float> normal(0.0f, 0.5f);
  Numbers numbers(n);
  for (float& number : numbers) number = normal(random);
  return numbers;
}

// A batch, and whatever weights a recurrence of n_gates gates takes.
struct Case {
  skseq::Sequences sequences;
  std::vector<int32_t> lengths;
  std::vector<int64_t> order, starts;
  // What the gradient is for: frames, constants, their kernels, the recurrent kernel,
  // biases, states.
  std::vector<Numbers> inputs;
  Numbers upstream;
  int64_t n_steps = 0;

  explicit Case(Random& random) {
    auto& s = sequences;
    s.n_rows = drawn(random, 0, 3) ? drawn(random, 0, 9) : drawn(random, 60, 140);
    s.n_frames = drawn(random, 0, 9);
    s.n_features = drawn(random, 0, 20);
    s.n_constants = drawn(random, 0, 1) ? 0 : drawn(random, 1, 20);
    s.n_units = drawn(random, 1, drawn(random, 0, 1) ? 5 : 70);
    s.backward = drawn(random, 0, 1);
    for (int64_t r = 0; r < s.n_rows; ++r) {
      lengths.push_back(static_cast<int32_t>(drawn(random, 0, s.n_frames)));
      starts.push_back(n_steps);
      n_steps += lengths.back();
    }
    order.resize(s.n_rows);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [this](int64_t a, int64_t b) {
      return lengths[a] > lengths[b];
    });
    s.lengths = lengths.data();
    s.order = order.data();
    s.starts = starts.data();
    upstream = noise(random, s.n_rows * s.n_frames * s.n_units);
  }

  int64_t traced(int64_t per_unit) const {
    return n_steps * per_unit * skseq::padded_units(sequences.n_units, kernels.lanes);
  }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

enum { FRAMES, CONSTANTS, KERNEL, CONSTANTS_KERNEL, RECURRENT, BIAS, OUTPUT, MEMORY };

// What frame, constants and the output before give to one gate of one unit.
double gate(const Case& c, int64_t frame, int64_t row, int64_t column,
            int64_t n_columns, const std::vector<double>& before) {
  const auto& s = c.sequences;
  double sum = c.inputs[BIAS][column];
  for (int64_t k = 0; k < s.n_features; ++k) {
    sum += double(c.inputs[FRAMES][frame * s.n_features + k]) *
           c.inputs[KERNEL][k * n_columns + column];
  }
  for (int64_t k = 0; k < s.n_constants; ++k) {
    sum += double(c.inputs[CONSTANTS][row * s.n_constants + k]) *
           c.inputs[CONSTANTS_KERNEL][k * n_columns + column];
  }
  for (int64_t k = 0; k < s.n_units; ++k) {
    sum += before[k] * c.inputs[RECURRENT][k * n_columns + column];
  }
  return sum;
}

std::vector<double> lstm_outputs(const Case& c) {
  const auto& s = c.sequences;
  const int64_t units = s.n_units;
  std::vector<double> outputs(s.n_rows * s.n_frames * units, 0.0);
  for (int64_t r = 0; r < s.n_rows; ++r) {
    const auto first = [&](int i) { return c.inputs[i].begin() + r * units; };
    std::vector<double> output(first(OUTPUT), first(OUTPUT) + units);
    std::vector<double> memory(first(MEMORY), first(MEMORY) + units);
    for (int64_t t = 0; t < c.lengths[r]; ++t) {
      const int64_t frame = r * s.n_frames + (s.backward ? c.lengths[r] - 1 - t : t);
      const std::vector<double> before = output;
      for (int64_t u = 0; u < units; ++u) {
        double sums[4];
        for (int g = 0; g < 4; ++g) {
          sums[g] = gate(c, frame, r, g * units + u, 4 * units, before);
        }
        memory[u] *= sigmoid(sums[1]);
        memory[u] += sigmoid(sums[0]) * std::tanh(sums[2]);
        output[u] = sigmoid(sums[3]) * std::tanh(memory[u]);
        outputs[frame * units + u] = output[u];
      }
    }
  }
  return outputs;
}

void fail(const Case& c, const char* what, double found, double expected) {
  const auto& s = c.sequences;
  std::printf("%s: %s is %.9g and not %.9g (%d rows, %d frames, %d features, %d "
              "constants, %d units)\n",
              kernels.name, what, found, expected, int(s.n_rows), int(s.n_frames),
              int(s.n_features), int(s.n_constants), int(s.n_units));
  std::exit(1);
}

void compare(const Case& c, const char* what, double found, double expected,
             double tolerance) {
  // Written so that NaN fails.
  if (!(std::abs(found - expected) <= tolerance)) fail(c, what, found, expected);
}

double total(const Case& c, const std::vector<double>& outputs) {
  double sum = 0;
  for (size_t i = 0; i < outputs.size(); ++i) sum += outputs[i] * c.upstream[i];
  return sum;
}

// Compare one number of each gradient with a difference.
void compare_gradients(Case& c, Random& random, const std::vector<Numbers>& gradients,
                       std::vector<double> (*outputs_of)(const Case&)) {
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (gradients[i].empty()) continue;
    const int64_t place = drawn(random, 0, int64_t(gradients[i].size()) - 1);
    float& number = c.inputs[i][place];
    const float before = number, step = 1.0f / 128;
    number = before + step;
    const double above = number, more = total(c, outputs_of(c));
    number = before - step;
    const double below = number, less = total(c, outputs_of(c));
    number = before;
    const double expected = (more - less) / (above - below);
    compare(c, "a gradient", gradients[i][place], expected,
            2e-3 * (1 + std::abs(expected)));
  }
}

std::vector<int64_t> lstm_sizes(const skseq::Sequences& s) {
  const int64_t n_gates = 4 * s.n_units;
  return {s.n_rows * s.n_frames * s.n_features,
          s.n_rows * s.n_constants,
          s.n_features * n_gates,
          s.n_constants * n_gates,
          s.n_units * n_gates,
          n_gates,
          s.n_rows * s.n_units,
          s.n_rows * s.n_units};
}

void run_lstm(Random& random) {
  Case c(random);
  for (int64_t size : lstm_sizes(c.sequences)) c.inputs.push_back(noise(random, size));
  const auto at = [&](int i) { return c.inputs[i].data(); };
  const skseq::Inputs inputs{at(FRAMES), at(CONSTANTS)};
  const skseq::LstmWeights weights{at(KERNEL), at(CONSTANTS_KERNEL), at(RECURRENT),
                                   at(BIAS)};
  const skseq::LstmState state{at(OUTPUT), at(MEMORY)};
  Numbers outputs(c.upstream.size()), trace(c.traced(kernels.lstm_trace));
  Numbers without_trace(c.upstream.size());
  kernels.lstm(c.sequences, inputs, weights, state, outputs.data(), trace.data());
  kernels.lstm(c.sequences, inputs, weights, state, without_trace.data(), nullptr);
  const std::vector<double> expected = lstm_outputs(c);
  for (size_t i = 0; i < expected.size(); ++i) {
    compare(c, "an output", outputs[i], expected[i], 2e-6);
    compare(c, "an output without a trace", without_trace[i], outputs[i], 0);
  }
  std::vector<Numbers> found;
  for (int64_t size : lstm_sizes(c.sequences)) found.emplace_back(size, NAN);
  const bool wants_frames = drawn(random, 0, 3);
  const skseq::LstmGradients gradients{
      wants_frames ? found[FRAMES].data() : nullptr,
      found[CONSTANTS].data(),
      found[KERNEL].data(),
      found[CONSTANTS_KERNEL].data(),
      found[RECURRENT].data(),
      found[BIAS].data(),
      found[OUTPUT].data(),
      found[MEMORY].data()};
  kernels.lstm_gradient(c.sequences, inputs, weights, state, outputs.data(),
                        trace.data(), c.upstream.data(), gradients);
  if (!wants_frames) found[FRAMES].clear();
  compare_gradients(c, random, found, lstm_outputs);
}

}  // namespace

int main(int, char** arguments) {
  Random random(std::atoi(arguments[1]));
  for (int i = 0; i < std::atoi(arguments[2]); ++i) run_lstm(random);
  std::printf("%s: as expected\n", kernels.name);
}
