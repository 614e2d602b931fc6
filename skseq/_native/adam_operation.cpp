// Adam's update of all weights as TensorFlow's operation SkseqAdam. It returns what the
// weights and their state become, and the caller assigns it: TensorFlow's C interface
// gives no way to write to variables.

#include <cmath>

#include "operations.h"
#include "recurrences.h"
#include "share_out.h"

using namespace skseq;

namespace {

// Numbers that a thread updates before it takes others.
constexpr int64_t NUMBERS_AT_ONCE = 1 << 14;

struct AdamAttributes {
  int64_t n = 0, n_threads = 1;

  void read(const Construction& construction) {
    construction.read("n", &n);
    construction.read("n_threads", &n_threads);
  }
};

// The first inputs; gradients, weights, momentums and velocities follow, n of each.
enum { STEP, SETTINGS, FIRST };
// Which number is which of the settings.
enum { RATE, BETA_1, BETA_2, EPSILON, MOST_NORM, N_SETTINGS };

// A part of one weight.
struct Part {
  const float* gradients;
  const float* before[3];
  float* after[3];
  int64_t n;
};

AdamStep settled(Call& call) {
  const float step = *call.input<float>(STEP, "step", {});
  const float* settings = call.input<float>(SETTINGS, "settings", {N_SETTINGS});
  AdamStep adam{};
  adam.beta_1 = settings[BETA_1];
  adam.beta_2 = settings[BETA_2];
  adam.epsilon = settings[EPSILON];
  adam.rate = settings[RATE] * std::sqrt(1.0f - std::pow(adam.beta_2, step)) /
              (1.0f - std::pow(adam.beta_1, step));
  adam.gradient_scale = 1.0f;
  return adam;
}

std::vector<Part> parts_of_all(Call& call, int64_t n) {
  std::vector<Part> parts;
  for (int64_t i = 0; i < n; ++i) {
    const auto place = [&](int64_t kind) { return static_cast<int>(kind * n + i); };
    const std::vector<int64_t> shape = call.any_shape(FIRST + place(0));
    Part whole{};
    whole.n = 1;
    for (int64_t size : shape) whole.n *= size;
    whole.gradients = call.numbers(FIRST + place(0));
    for (int kind = 0; kind < 3; ++kind) {
      if (call.any_shape(FIRST + place(kind + 1)) != shape) {
        throw Failure{TF_INVALID_ARGUMENT,
                      "Weight " + std::to_string(i) + " and its gradient and state must "
                      "have one shape."};
      }
      whole.before[kind] = call.numbers(FIRST + place(kind + 1));
      whole.after[kind] = call.output(place(kind), shape);
    }
    for (int64_t at = 0; at < whole.n; at += NUMBERS_AT_ONCE) {
      Part part = whole;
      part.n = std::min(NUMBERS_AT_ONCE, whole.n - at);
      part.gradients += at;
      for (int kind = 0; kind < 3; ++kind) {
        part.before[kind] += at;
        part.after[kind] += at;
      }
      parts.push_back(part);
    }
  }
  return parts;
}

// What gradients are multiplied by so that their norm is no larger than `most`; NaN
// where it is not finite.
float scale_to(float most, const std::vector<Part>& parts, int64_t n_threads) {
  std::vector<double> sums(parts.size());
  share_out(parts.size(), NUMBERS_AT_ONCE, n_threads, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      sums[i] = kernels().adam.sum_of_squares(parts[i].gradients, parts[i].n);
    }
    return true;
  });
  double sum = 0.0;
  for (double part : sums) sum += part;
  const float norm = static_cast<float>(std::sqrt(sum));
  return norm <= most ? 1.0f : most / norm + (norm - norm);
}

void compute(void* attributes, TF_OpKernelContext* context) {
  guarded(context, "Adam", [&](Call& call) {
    const auto& [n, n_threads] = *static_cast<const AdamAttributes*>(attributes);
    AdamStep adam = settled(call);
    const std::vector<Part> parts = parts_of_all(call, n);
    const float most = call.numbers(SETTINGS)[MOST_NORM];
    if (most > 0.0f) adam.gradient_scale = scale_to(most, parts, n_threads);
    share_out(parts.size(), NUMBERS_AT_ONCE * WORK_PER_NUMBER, n_threads,
              [&](int64_t first, int64_t end) {
                for (int64_t i = first; i < end; ++i) {
                  const Part& part = parts[i];
                  kernels().adam.update(adam, part.gradients, part.before, part.n,
                                        part.after);
                }
                return true;
              });
  });
}

void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

const bool is_defined = [] {
  define({"SkseqAdam",
          {"step: float", "settings: float", "gradients: n * float",
           "weights: n * float", "momentums: n * float", "velocities: n * float"},
          {"weights_after: n * float", "momentums_after: n * float",
           "velocities_after: n * float"},
          {"n: int >= 1", "n_threads: int"},
          infer,
          create<AdamAttributes>,
          compute,
          destroy<AdamAttributes>});
  return true;
}();

}  // namespace
