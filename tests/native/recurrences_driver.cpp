// Runs the kernels of one instruction set on random batches, without TensorFlow: under
// the sanitizers, each array has exactly the room that the kernels may use.
//
//     driver SEED N_BATCHES
//
// Outputs are compared with loops over single numbers in double precision, gradients
// with differences of such a loop's outputs. So is the loss of CTC, which reads what a
// kernel has made of the logits, and that of a chain.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

#include "chain_loss.h"
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

// A batch, and the weights and states that a cell takes.
struct Case {
  skseq::Sequences sequences;
  std::vector<int32_t> lengths;
  std::vector<int64_t> order, starts;
  // What there are gradients of, in the order of the enumeration below.
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

  // Call work(part) for some parts of the rows, into which they are dealt out.
  template <class Work>
  void in_parts(int64_t n_parts, Work work) const {
    for (int64_t p = 0; p < n_parts; ++p) {
      std::vector<int64_t> own;
      for (int64_t i = p; i < sequences.n_rows; i += n_parts) own.push_back(order[i]);
      skseq::Sequences part = sequences;
      part.n_rows = static_cast<int64_t>(own.size());
      part.order = own.data();
      work(part);
    }
  }

  int64_t traced(int64_t per_unit) const {
    return n_steps * per_unit * skseq::padded_units(sequences.n_units, kernels.lanes);
  }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

enum { FRAMES, CONSTANTS, KERNEL, CONSTANTS_KERNEL, RECURRENT, BIAS, OUTPUT, MEMORY };

// What frame and constants give to one gate of one unit.
double outer(const Case& c, int64_t frame, int64_t row, int64_t column,
             int64_t n_columns) {
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
  return sum;
}

// What the output before gives to it.
double inner(const Case& c, int64_t column, int64_t n_columns,
             const std::vector<double>& before) {
  double sum = 0;
  for (int64_t k = 0; k < c.sequences.n_units; ++k) {
    sum += before[k] * c.inputs[RECURRENT][k * n_columns + column];
  }
  return sum;
}

// One step of unit u: from the output before to the output after.
double lstm_step(const Case& c, int64_t frame, int64_t row, int64_t u,
                 const std::vector<double>& before, double& memory) {
  const int64_t units = c.sequences.n_units;
  double sums[4];
  for (int g = 0; g < 4; ++g) {
    const int64_t column = g * units + u;
    sums[g] = outer(c, frame, row, column, 4 * units);
    sums[g] += inner(c, column, 4 * units, before);
  }
  memory *= sigmoid(sums[1]);
  memory += sigmoid(sums[0]) * std::tanh(sums[2]);
  return sigmoid(sums[3]) * std::tanh(memory);
}

double gru_step(const Case& c, int64_t frame, int64_t row, int64_t u,
                const std::vector<double>& before, double&) {
  const int64_t units = c.sequences.n_units;
  double sums[3], recalls[3];
  for (int g = 0; g < 3; ++g) {
    const int64_t column = g * units + u;
    sums[g] = outer(c, frame, row, column, 3 * units);
    recalls[g] = c.inputs[BIAS][3 * units + column];
    recalls[g] += inner(c, column, 3 * units, before);
  }
  const double update = sigmoid(sums[0] + recalls[0]);
  const double reset = sigmoid(sums[1] + recalls[1]);
  const double candidate = std::tanh(sums[2] + reset * recalls[2]);
  return update * before[u] + (1 - update) * candidate;
}

// A cell of the kernels, and the loop that it is compared with.
struct Kind {
  const skseq::Cell& cell;
  double (*step)(const Case&, int64_t frame, int64_t row, int64_t unit,
                 const std::vector<double>& before, double& memory);
};

std::vector<double> outputs_of(const Case& c, const Kind& kind) {
  const auto& s = c.sequences;
  const int64_t units = s.n_units;
  std::vector<double> outputs(s.n_rows * s.n_frames * units, 0.0);
  for (int64_t r = 0; r < s.n_rows; ++r) {
    std::vector<double> output(units), memory(units);
    for (int64_t u = 0; u < units; ++u) {
      output[u] = c.inputs[OUTPUT][r * units + u];
      if (kind.cell.n_states > 1) memory[u] = c.inputs[MEMORY][r * units + u];
    }
    for (int64_t t = 0; t < c.lengths[r]; ++t) {
      const int64_t frame = r * s.n_frames + (s.backward ? c.lengths[r] - 1 - t : t);
      const std::vector<double> before = output;
      for (int64_t u = 0; u < units; ++u) {
        output[u] = kind.step(c, frame, r, u, before, memory[u]);
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
void compare_gradients(Case& c, const Kind& kind, Random& random,
                       const std::vector<Numbers>& gradients) {
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (gradients[i].empty()) continue;
    const int64_t place = drawn(random, 0, int64_t(gradients[i].size()) - 1);
    float& number = c.inputs[i][place];
    const float before = number, step = 1.0f / 128;
    number = before + step;
    const double above = number, more = total(c, outputs_of(c, kind));
    number = before - step;
    const double below = number, less = total(c, outputs_of(c, kind));
    number = before;
    const double expected = (more - less) / (above - below);
    compare(c, "a gradient", gradients[i][place], expected,
            2e-3 * (1 + std::abs(expected)));
  }
}

std::vector<int64_t> sizes_of(const skseq::Sequences& s, const skseq::Cell& cell) {
  const int64_t width = cell.n_gates * s.n_units;
  std::vector<int64_t> sizes = {s.n_rows * s.n_frames * s.n_features,
                                s.n_rows * s.n_constants,
                                s.n_features * width,
                                s.n_constants * width,
                                s.n_units * width,
                                cell.n_biases * width};
  sizes.resize(sizes.size() + cell.n_states, s.n_rows * s.n_units);
  return sizes;
}

void run(const Kind& kind, Random& random) {
  const skseq::Cell& cell = kind.cell;
  Case c(random);
  const std::vector<int64_t> sizes = sizes_of(c.sequences, cell);
  for (int64_t size : sizes) c.inputs.push_back(noise(random, size));
  c.inputs.resize(MEMORY + 1);
  const auto at = [&](int i) { return c.inputs[i].data(); };
  const skseq::Inputs inputs{at(FRAMES), at(CONSTANTS)};
  const skseq::Weights weights{at(KERNEL), at(CONSTANTS_KERNEL), at(RECURRENT),
                               at(BIAS)};
  const skseq::State state{at(OUTPUT), at(MEMORY)};
  Numbers outputs(c.upstream.size()), trace(c.traced(cell.n_traced));
  Numbers without_trace(c.upstream.size());
  const int64_t n_parts = drawn(random, 1, 3);
  c.in_parts(n_parts, [&](const skseq::Sequences& part) {
    cell.run(part, inputs, weights, state, outputs.data(), trace.data());
  });
  cell.run(c.sequences, inputs, weights, state, without_trace.data(), nullptr);
  const std::vector<double> expected = outputs_of(c, kind);
  for (size_t i = 0; i < expected.size(); ++i) {
    compare(c, "an output", outputs[i], expected[i], 1e-5);
    compare(c, "an output without a trace", without_trace[i], outputs[i], 0);
  }
  std::vector<Numbers> found;
  for (int64_t size : sizes) found.emplace_back(size, NAN);
  found.resize(MEMORY + 1);
  const bool wants_frames = drawn(random, 0, 3);
  const auto to = [&](int i) { return found[i].data(); };
  const skseq::Gradients gradients{
      wants_frames ? to(FRAMES) : nullptr, to(CONSTANTS), to(KERNEL),
      to(CONSTANTS_KERNEL),                to(RECURRENT), to(BIAS),
      to(OUTPUT),                          to(MEMORY)};
  std::vector<Numbers> sums(BIAS + 1);
  c.in_parts(n_parts, [&](const skseq::Sequences& part) {
    cell.differentiate(part, inputs, weights, state, outputs.data(), trace.data(),
                       c.upstream.data(), gradients);
    for (int i : {KERNEL, CONSTANTS_KERNEL, RECURRENT, BIAS}) {
      sums[i].resize(found[i].size());
      for (size_t k = 0; k < found[i].size(); ++k) sums[i][k] += found[i][k];
    }
  });
  for (int i : {KERNEL, CONSTANTS_KERNEL, RECURRENT, BIAS}) found[i] = sums[i];
  if (!wants_frames) found[FRAMES].clear();
  compare_gradients(c, kind, random, found);
}

// One step of all rows, as of sequences of one frame.
void run_step(const Kind& kind, Random& random) {
  const skseq::Cell& cell = kind.cell;
  Case c(random);
  auto& s = c.sequences;
  s.n_frames = 1;
  s.n_constants = 0;
  for (int64_t size : sizes_of(s, cell)) c.inputs.push_back(noise(random, size));
  c.inputs.resize(MEMORY + 1);
  const auto at = [&](int i) { return c.inputs[i].data(); };
  const skseq::StepInputs inputs{s.n_rows,   s.n_features, s.n_units,
                                 at(FRAMES), at(OUTPUT),   at(MEMORY)};
  const skseq::Weights weights{at(KERNEL), nullptr, at(RECURRENT), at(BIAS)};
  Numbers output(s.n_rows * s.n_units), memories(c.inputs[MEMORY].size());
  cell.step(inputs, weights, output.data(), memories.data());
  for (int64_t r = 0; r < s.n_rows; ++r) {
    const float* start = at(OUTPUT) + r * s.n_units;
    const std::vector<double> before(start, start + s.n_units);
    for (int64_t u = 0; u < s.n_units; ++u) {
      const int64_t i = r * s.n_units + u;
      double memory = memories.empty() ? 0 : c.inputs[MEMORY][i];
      const double expected = kind.step(c, r, r, u, before, memory);
      compare(c, "an output after a step", output[i], expected, 1e-5);
      if (memories.empty()) continue;
      compare(c, "a memory after a step", memories[i], memory, 1e-5);
    }
  }
}

// -- functions of rows ----------------------------------------------------------------

void compare_rows(const char* what, int64_t row, double found, double expected,
                  double tolerance) {
  if (std::abs(found - expected) <= tolerance) return;  // NaN fails
  std::printf("%s: %s of row %d is %.9g and not %.9g\n", kernels.name, what, int(row),
              found, expected);
  std::exit(1);
}

// Rows of their own, or those of a convolution, which overlap.
void run_dense(Random& random) {
  const int64_t features = drawn(random, 0, 12), size = drawn(random, 1, 3);
  const int64_t n_sequences = drawn(random, 0, 9), stride = drawn(random, 1, 2);
  const int64_t n_together = drawn(random, 1, drawn(random, 0, 1) ? 3 : 40);
  const int64_t n_frames = (n_together - 1) * stride + size;
  const int64_t units = drawn(random, 1, drawn(random, 0, 1) ? 9 : 300);
  const Numbers inputs = noise(random, n_sequences * n_frames * features);
  const Numbers kernel = noise(random, size * features * units);
  const Numbers bias = noise(random, units);
  const skseq::Rows rows{inputs.data(), size * features, n_together, stride * features,
                         n_frames * features};
  const bool is_tanh = drawn(random, 0, 1);
  const skseq::DenseLayer layer{kernel.data(), bias.data(), units, is_tanh};
  const int64_t n_rows = n_sequences * n_together;
  const int64_t first = drawn(random, 0, n_rows), end = drawn(random, first, n_rows);
  Numbers outputs(n_rows * units, NAN);
  kernels.rows.dense(rows, layer, first, end, outputs.data());
  for (int64_t r = 0; r < n_rows; ++r) {
    const int64_t frame = r / n_together * n_frames + r % n_together * stride;
    const int64_t start = frame * features;
    for (int64_t u = 0; u < units; ++u) {
      const double found = outputs[r * units + u];
      if (r < first || r >= end) {
        compare_rows("what is left alone", r, std::isnan(found), 1, 0);
        continue;
      }
      double sum = bias[u];
      for (int64_t k = 0; k < size * features; ++k) {
        sum += double(inputs[start + k]) * kernel[k * units + u];
      }
      compare_rows("a dense layer", r, found, is_tanh ? std::tanh(sum) : sum, 1e-5);
    }
  }
}

void run_plain_rows(Random& random) {
  const int64_t n_rows = drawn(random, 0, 9), n = drawn(random, 1, 70);
  const Numbers inputs = noise(random, n_rows * n);
  const Numbers gamma = noise(random, n), beta = noise(random, n);
  const skseq::Scaling scaling{gamma.data(), beta.data(), 1e-3f};
  Numbers logs(n_rows * n), shares(n_rows * n), normal(n_rows * n);
  std::vector<double> log_sums(n_rows);
  kernels.rows.log_softmax(inputs.data(), n, 0, n_rows, logs.data());
  kernels.rows.softmax(inputs.data(), n, 0, n_rows, shares.data(), log_sums.data());
  kernels.rows.normalize(inputs.data(), n, scaling, 0, n_rows, normal.data());
  for (int64_t r = 0; r < n_rows; ++r) {
    const float* row = inputs.data() + r * n;
    double sum = 0, mean = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(double(row[i]));
    for (int64_t i = 0; i < n; ++i) mean += double(row[i]) / n;
    for (int64_t i = 0; i < n; ++i) squares += (row[i] - mean) * (row[i] - mean) / n;
    compare_rows("a sum of exponentials", r, log_sums[r], std::log(sum), 1e-5);
    for (int64_t i = 0; i < n; ++i) {
      compare_rows("a log-softmax", r, logs[r * n + i], row[i] - std::log(sum), 1e-5);
      compare_rows("a softmax", r, shares[r * n + i], std::exp(row[i]) / sum, 1e-5);
      const double x = (row[i] - mean) / std::sqrt(squares + 1e-3);
      compare_rows("a normalization", r, normal[r * n + i], x * gamma[i] + beta[i],
                   1e-4);
    }
  }
}

// What attention takes, in the order of its gradients, and what is given back to it.
struct Attention {
  skseq::Attended sizes{};
  std::vector<int32_t> lengths;
  std::vector<Numbers> inputs;  // queries, keys, states and the score kernel
  Numbers d_contexts, d_weights;

  explicit Attention(Random& random) {
    auto& a = sizes;
    a.n_samples = drawn(random, 0, 4);
    a.n_queries = drawn(random, 0, drawn(random, 0, 1) ? 4 : 15);
    a.n_source = drawn(random, 1, 20);
    a.n_units = drawn(random, 1, drawn(random, 0, 1) ? 20 : 70);
    a.n_features = drawn(random, 1, drawn(random, 0, 1) ? 20 : 90);
    a.scale = 0.5f;
    const int64_t n_states = a.n_samples * a.n_source;
    inputs.push_back(noise(random, n_queries() * a.n_units));
    inputs.push_back(noise(random, n_states * a.n_units));
    inputs.push_back(noise(random, n_states * a.n_features));
    inputs.push_back(noise(random, drawn(random, 0, 1) ? a.n_units : 0));
    d_contexts = noise(random, n_queries() * a.n_features);
    d_weights = noise(random, n_queries() * a.n_source);
    for (int64_t i = 0; i < a.n_samples; ++i) {
      lengths.push_back(static_cast<int32_t>(drawn(random, 0, a.n_source)));
    }
  }

  int64_t n_queries() const { return sizes.n_samples * sizes.n_queries; }
  bool is_additive() const { return !inputs[3].empty(); }

  skseq::Attended given() const {
    skseq::Attended a = sizes;
    a.queries = inputs[0].data();
    a.keys = inputs[1].data();
    a.states = inputs[2].data();
    a.lengths = lengths.data();
    a.score_kernel = is_additive() ? inputs[3].data() : nullptr;
    return a;
  }

  // The weights of one query, by loops over single numbers.
  std::vector<double> weights(int64_t q) const {
    const auto& a = sizes;
    const int64_t first = q / a.n_queries * a.n_source;
    std::vector<double> found(a.n_source, 0.0);
    double sum = 0;
    for (int64_t s = 0; s < lengths[q / a.n_queries]; ++s) {
      double score = 0;
      for (int64_t u = 0; u < a.n_units; ++u) {
        const double own = inputs[0][q * a.n_units + u];
        const double other = inputs[1][(first + s) * a.n_units + u];
        score += is_additive() ? inputs[3][u] * std::tanh(own + other) : own * other;
      }
      sum += found[s] = std::exp(score * a.scale);
    }
    for (double& weight : found) {
      if (sum > 0) weight /= sum;
    }
    return found;
  }

  double context(int64_t q, const std::vector<double>& weights, int64_t i) const {
    const auto& a = sizes;
    const int64_t first = q / a.n_queries * a.n_source;
    double sum = 0;
    for (int64_t s = 0; s < a.n_source; ++s) {
      sum += weights[s] * inputs[2][(first + s) * a.n_features + i];
    }
    return sum;
  }

  double total() const {
    const auto& a = sizes;
    double sum = 0;
    for (int64_t q = 0; q < n_queries(); ++q) {
      const std::vector<double> own = weights(q);
      for (int64_t s = 0; s < a.n_source; ++s) {
        sum += own[s] * d_weights[q * a.n_source + s];
      }
      for (int64_t i = 0; i < a.n_features; ++i) {
        sum += context(q, own, i) * d_contexts[q * a.n_features + i];
      }
    }
    return sum;
  }
};

// Compare one number of each gradient with a difference.
void run_attention_gradient(Random& random, Attention& attention,
                            const Numbers& weights) {
  const skseq::Attended a = attention.given();
  std::vector<Numbers> found;
  for (int i = 0; i < 3; ++i) found.emplace_back(attention.inputs[i].size(), NAN);
  const int64_t n_kernel_units = attention.inputs[3].size();
  Numbers kernels_of(a.n_samples * n_kernel_units, NAN);
  const skseq::AttentionGradients gradients{
      weights.data(),  attention.d_contexts.data(), attention.d_weights.data(),
      found[0].data(), found[1].data(),             found[2].data(),
      kernels_of.data()};
  const int64_t middle = drawn(random, 0, a.n_samples);
  kernels.rows.differentiate_attention(a, gradients, 0, middle);
  kernels.rows.differentiate_attention(a, gradients, middle, a.n_samples);
  found.emplace_back(n_kernel_units, 0.0f);
  for (size_t i = 0; i < kernels_of.size(); ++i) {
    found[3][i % n_kernel_units] += kernels_of[i];
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i].empty()) continue;
    const int64_t place = drawn(random, 0, int64_t(found[i].size()) - 1);
    float& number = attention.inputs[i][place];
    const float before = number, step = 1.0f / 128;
    number = before + step;
    const double above = number, more = attention.total();
    number = before - step;
    const double below = number, less = attention.total();
    number = before;
    const double expected = (more - less) / (above - below);
    compare_rows("a gradient of attention", place, found[i][place], expected,
                 2e-3 * (1 + std::abs(expected)));
  }
}

void run_attention(Random& random) {
  Attention attention(random);
  const skseq::Attended a = attention.given();
  const int64_t n = attention.n_queries();
  Numbers contexts(n * a.n_features, NAN), weights(n * a.n_source, NAN);
  const int64_t middle = drawn(random, 0, n);
  kernels.rows.attend(a, 0, middle, contexts.data(), weights.data());
  kernels.rows.attend(a, middle, n, contexts.data(), weights.data());
  for (int64_t q = 0; q < n; ++q) {
    const std::vector<double> expected = attention.weights(q);
    for (int64_t s = 0; s < a.n_source; ++s) {
      compare_rows("a weight of attention", q, weights[q * a.n_source + s], expected[s],
                   1e-5);
    }
    for (int64_t i = 0; i < a.n_features; ++i) {
      compare_rows("a context", q, contexts[q * a.n_features + i],
                   attention.context(q, expected, i), 1e-5);
    }
  }
  run_attention_gradient(random, attention, weights);
}

void run_cross_entropy(Random& random) {
  const int64_t n_rows = drawn(random, 0, 9), n = drawn(random, 1, 70);
  const Numbers logits = noise(random, n_rows * n), upstream = noise(random, n_rows);
  std::vector<int32_t> labels;
  for (int64_t r = 0; r < n_rows; ++r) {
    labels.push_back(static_cast<int32_t>(drawn(random, 0, n - 1)));
  }
  const float smoothing = drawn(random, 0, 1) ? 0.0f : 0.25f;
  const skseq::Labelled rows{n, logits.data(), labels.data(), smoothing};
  Numbers losses(n_rows, NAN), sums(2 * n_rows, NAN), d_logits(n_rows * n, NAN);
  kernels.rows.cross_entropy(rows, 0, n_rows, losses.data(), sums.data());
  kernels.rows.differentiate_cross_entropy(rows, sums.data(), upstream.data(), 0,
                                           n_rows, d_logits.data());
  for (int64_t r = 0; r < n_rows; ++r) {
    double sum = 0, loss = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(double(logits[r * n + i]));
    for (int64_t i = 0; i < n; ++i) {
      const double wanted = (i == labels[r]) * (1.0 - smoothing) + smoothing / n;
      const double log_prob = logits[r * n + i] - std::log(sum);
      loss -= wanted * log_prob;
      compare_rows("a gradient of a loss", r, d_logits[r * n + i],
                   upstream[r] * (std::exp(log_prob) - wanted), 1e-5);
    }
    compare_rows("a loss", r, losses[r], loss, 1e-5);
  }
}

// -- Adam -----------------------------------------------------------------------------

void run_adam(Random& random) {
  const int64_t n = drawn(random, 0, drawn(random, 0, 1) ? 40 : 9000);
  const Numbers gradients = noise(random, n), weights = noise(random, n);
  const Numbers momentums = noise(random, n);
  Numbers velocities = noise(random, n);
  for (float& velocity : velocities) velocity *= velocity;
  Numbers after[3] = {Numbers(n), Numbers(n), Numbers(n)};
  const skseq::AdamStep step{0.1f, 0.9f, 0.99f, 1e-3f, 0.5f};
  kernels.adam.update(step, gradients.data(),
                      {weights.data(), momentums.data(), velocities.data()}, n,
                      {after[0].data(), after[1].data(), after[2].data()});
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    squares += double(gradients[i]) * gradients[i];
    const double gradient = 0.5 * gradients[i];
    const double momentum = 0.9 * momentums[i] + 0.1 * gradient;
    const double velocity = 0.99 * velocities[i] + 0.01 * gradient * gradient;
    const double weight = weights[i] - 0.1 * momentum / (std::sqrt(velocity) + 1e-3);
    compare_rows("a weight", i, after[0][i], weight, 1e-5 * (1 + std::abs(weight)));
    compare_rows("a momentum", i, after[1][i], momentum, 1e-6);
    compare_rows("a velocity", i, after[2][i], velocity, 1e-6);
  }
  const double found = kernels.adam.sum_of_squares(gradients.data(), n);
  compare_rows("a sum of squares", 0, found, squares, 1e-5 * (1 + squares));
}

// -- the loss of CTC ------------------------------------------------------------------

// The loss of labels by the definition: all paths, a state at a time.
double loss_of(const std::vector<double>& logits, int64_t n_frames, int64_t n_classes,
               const std::vector<int32_t>& labels) {
  const int64_t n_states = 2 * int64_t(labels.size()) + 1;
  std::vector<double> masses(n_states, 0.0);
  double loss = 0;
  for (int64_t t = 0; t < n_frames; ++t) {
    const double* frame = logits.data() + t * n_classes;
    double sum = 0;
    for (int64_t k = 0; k < n_classes; ++k) sum += std::exp(frame[k]);
    const std::vector<double> before = masses;
    double all = 0;
    for (int64_t s = 0; s < n_states; ++s) {
      const bool is_blank = s % 2 == 0;
      const int64_t shown = is_blank ? n_classes - 1 : labels[s / 2];
      double mass = t == 0 ? double(s < 2) : before[s];
      if (t > 0 && s > 0) mass += before[s - 1];
      const bool skips = !is_blank && s > 1 && labels[s / 2] != labels[s / 2 - 1];
      if (t > 0 && skips) mass += before[s - 2];
      all += masses[s] = mass * std::exp(frame[shown]) / sum;
    }
    for (double& mass : masses) mass /= all;
    loss -= std::log(all);
  }
  const double last = masses[n_states - 1] + (n_states > 1 ? masses[n_states - 2] : 0);
  return loss - std::log(last);
}

void run_loss(Random& random) {
  const int64_t n_classes = drawn(random, 1, drawn(random, 0, 1) ? 4 : 40);
  const int64_t most = n_classes > 1 ? drawn(random, 0, 8) : 0;
  std::vector<int32_t> labels;
  for (int64_t u = 0; u < most; ++u) {
    labels.push_back(static_cast<int32_t>(drawn(random, 0, n_classes - 2)));
  }
  const int64_t n_frames = 2 * most + drawn(random, 1, drawn(random, 0, 3) ? 9 : 300);
  Numbers logits = noise(random, n_frames * n_classes);
  const float scale = drawn(random, 0, 1) ? 1.0f : 20.0f;
  for (float& logit : logits) logit *= scale;
  Numbers slopes(n_frames * n_classes);
  std::vector<double> log_sums(n_frames);
  kernels.rows.softmax(logits.data(), n_classes, 0, n_frames, slopes.data(),
                       log_sums.data());
  const skseq::Sample<float> sample{logits.data(), n_frames, n_classes - 1};
  skseq::CtcLoss loss;
  const double found = loss.differentiate(sample, log_sums.data(), labels.data(), most,
                                          slopes.data());
  std::vector<double> exact(logits.begin(), logits.end());
  const double expected = loss_of(exact, n_frames, n_classes, labels);
  compare_rows("a loss", 0, found, expected, 1e-5 * (1 + std::abs(expected)));
  const int64_t place = drawn(random, 0, n_frames * n_classes - 1);
  const double logit = exact[place], step = 1e-4;
  exact[place] = logit + step;
  const double more = loss_of(exact, n_frames, n_classes, labels);
  exact[place] = logit - step;
  const double less = loss_of(exact, n_frames, n_classes, labels);
  compare_rows("a slope", place, slopes[place], (more - less) / (2 * step), 1e-4);
}

// -- the loss of a chain --------------------------------------------------------------

using Doubles = std::vector<double>;

double log_sum(const Doubles& logs) {
  const double top = *std::max_element(logs.begin(), logs.end());
  if (top == -INFINITY) return top;
  double sum = 0;
  for (double value : logs) sum += std::exp(value - top);
  return top + std::log(sum);
}

// What a chain's loss is computed from.
struct Chain {
  int64_t n_frames, n_classes;
  Doubles scores, pairs, starts, ends;
  std::vector<int32_t> labels;
};

// The log-mass of all paths by the definition, or of those that fit the labels.
double log_mass_of(const Chain& chain, bool fits) {
  const int64_t k = chain.n_classes;
  Doubles masses = chain.starts;
  for (int64_t t = 0; t < chain.n_frames; ++t) {
    const Doubles before = masses;
    for (int64_t j = 0; j < k; ++j) {
      Doubles paths(k, t == 0 ? before[j] - std::log(double(k)) : 0.0);
      for (int64_t i = 0; t > 0 && i < k; ++i) {
        paths[i] = before[i] + chain.pairs[i * k + j];
      }
      const bool is_other = chain.labels[t] >= 0 && chain.labels[t] != j;
      const double own = chain.scores[t * k + j];
      masses[j] = fits && is_other ? -INFINITY : log_sum(paths) + own;
    }
  }
  for (int64_t j = 0; j < k; ++j) masses[j] += chain.ends[j];
  return log_sum(masses);
}

double loss_of(const Chain& chain) {
  return log_mass_of(chain, false) - log_mass_of(chain, true);
}

// How the loss changes with one of the numbers that it is computed from.
double slope_of(Chain& chain, double& number) {
  const double before = number, step = 1e-4;
  number = before + step;
  const double more = loss_of(chain);
  number = before - step;
  const double less = loss_of(chain);
  number = before;
  return (more - less) / (2 * step);
}

void run_chain(Random& random) {
  const int64_t k = drawn(random, 1, drawn(random, 0, 1) ? 4 : 30);
  const int64_t n_frames = drawn(random, 1, drawn(random, 0, 3) ? 9 : 100);
  const float scale = drawn(random, 0, 1) ? 1.0f : 400.0f;  // some masses underflow
  Numbers scores = noise(random, n_frames * k), pairs = noise(random, k * k);
  for (float& score : scores) score *= scale;
  for (float& pair : pairs) {
    if (k > 1 && drawn(random, 0, 5) == 0) pair = -INFINITY;
  }
  for (int64_t i = 0; i < k; ++i) pairs[i * k + i] = 0.1f;  // some path is possible
  const Numbers starts = noise(random, k), ends = noise(random, k);
  const auto label = static_cast<int32_t>(drawn(random, 0, k - 1));
  std::vector<int32_t> labels(n_frames);
  for (int32_t& own : labels) own = drawn(random, 0, 1) ? label : -1;
  Chain chain{n_frames,
              k,
              Doubles(scores.begin(), scores.end()),
              Doubles(pairs.begin(), pairs.end()),
              Doubles(starts.begin(), starts.end()),
              Doubles(ends.begin(), ends.end()),
              labels};
  const skseq::ChainWeights weights(pairs.data(), starts.data(), ends.data(), k);
  Numbers slopes(n_frames * k), pair_slopes(k * k);
  skseq::ChainLoss loss(weights);
  const double found = loss.differentiate(scores.data(), n_frames, labels.data(),
                                          slopes.data(), pair_slopes.data());
  const double expected = loss_of(chain);
  compare_rows("a chain's loss", 0, found, expected, 1e-5 * (1 + std::abs(expected)));
  const int64_t place = drawn(random, 0, n_frames * k - 1);
  const int64_t pair = drawn(random, 0, k * k - 1);
  compare_rows("a chain's slope", place, slopes[place],
               slope_of(chain, chain.scores[place]), 1e-3);
  if (chain.pairs[pair] == -INFINITY) {
    compare_rows("a slope of nothing", pair, pair_slopes[pair], 0.0, 0.0);
  } else {
    compare_rows("a pair's slope", pair, pair_slopes[pair],
                 slope_of(chain, chain.pairs[pair]), 1e-3);
  }
}

}  // namespace

int main(int, char** arguments) {
  Random random(std::atoi(arguments[1]));
  const Kind kinds[] = {{kernels.lstm, lstm_step}, {kernels.gru, gru_step}};
  for (int i = 0; i < std::atoi(arguments[2]); ++i) {
    run(kinds[i % 2], random);
    run_step(kinds[i % 2], random);
    run_dense(random);
    run_attention(random);
    run_plain_rows(random);
    run_loss(random);
    run_chain(random);
    run_adam(random);
    run_cross_entropy(random);
  }
  std::printf("%s: as expected\n", kernels.name);
}
