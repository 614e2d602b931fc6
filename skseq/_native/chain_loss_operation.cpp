// The loss of a linear chain as TensorFlow's operation SkseqChainLoss. A sequence's loss
// and slopes are the same to the bit whatever is beside it, and with any number of
// threads.

#include "chain_loss.h"
#include "operations.h"
#include "share_out.h"

using namespace skseq;

namespace {

// The work on a pair of labels in a frame that is as much as so many products.
constexpr int64_t WORK_PER_PAIR = 8;

struct LossAttributes {
  int64_t n_threads = 1;

  void read(const Construction& construction) {
    construction.read("n_threads", &n_threads);
  }
};

enum { SCORES, PAIRS, STARTS, ENDS, LABELS, LENGTHS };

// A batch of scores (n_samples, n_frames, n_classes) and labels, right-padded.
struct Batch {
  int64_t n_samples, n_frames, n_classes;
  const float *scores, *pairs, *starts, *ends;
  const int32_t *labels, *lengths;

  explicit Batch(Call& call)
      : n_samples(call.size(SCORES, "scores", 3, 0)),
        n_frames(call.size(SCORES, "scores", 3, 1)),
        n_classes(call.size(SCORES, "scores", 3, 2)),
        scores(call.numbers(SCORES)),
        pairs(call.input<float>(PAIRS, "pairs", {n_classes, n_classes})),
        starts(call.input<float>(STARTS, "starts", {n_classes})),
        ends(call.input<float>(ENDS, "ends", {n_classes})),
        labels(call.input<int32_t>(LABELS, "labels", {n_samples, n_frames})),
        lengths(call.input<int32_t>(LENGTHS, "lengths", {n_samples})) {
    if (n_classes < 1) throw Failure{TF_INVALID_ARGUMENT, "There must be a class."};
    for (int64_t i = 0; i < n_samples; ++i) check(i);
  }

 private:
  void check(int64_t i) const {
    if (lengths[i] < 0 || lengths[i] > n_frames) {
      refuse(i, "lengths must be from 0 to the number of frames");
    }
    for (int64_t t = 0; t < lengths[i]; ++t) {
      const int32_t label = labels[i * n_frames + t];
      if (label < -1 || label >= n_classes) {
        refuse(i, "labels must be numbers of classes, or -1");
      }
    }
  }

  [[noreturn]] static void refuse(int64_t i, const char* fault) {
    throw Failure{TF_INVALID_ARGUMENT,
                  "Sequence " + std::to_string(i) + ": " + fault + "."};
  }
};

struct Outputs {
  float *losses, *slopes, *pair_slopes;
};

// The losses of sequences number `first` to before `end`.
void differentiate(const Batch& batch, const ChainWeights& weights, int64_t first,
                   int64_t end, const Outputs& outputs) {
  ChainLoss loss(weights);
  const int64_t size = batch.n_frames * batch.n_classes;
  const int64_t n_pairs = batch.n_classes * batch.n_classes;
  for (int64_t i = first; i < end; ++i) {
    const int64_t length = batch.lengths[i];
    float* slopes = outputs.slopes + i * size;
    outputs.losses[i] = static_cast<float>(loss.differentiate(
        batch.scores + i * size, length, batch.labels + i * batch.n_frames, slopes,
        outputs.pair_slopes + i * n_pairs));
    std::fill(slopes + length * batch.n_classes, slopes + size, 0.0f);
  }
}

void compute(void* attributes, TF_OpKernelContext* context) {
  guarded(context, "The loss of a chain", [&](Call& call) {
    const Batch batch(call);
    const int64_t n = batch.n_samples, n_classes = batch.n_classes;
    const ChainWeights weights(batch.pairs, batch.starts, batch.ends, n_classes);
    const Outputs outputs{call.output(0, {n}),
                          call.output(1, {n, batch.n_frames, n_classes}),
                          call.output(2, {n, n_classes, n_classes})};
    const int64_t work = n_classes * (WORK_PER_NUMBER + n_classes * WORK_PER_PAIR);
    share_out(n, batch.n_frames * work,
              static_cast<LossAttributes*>(attributes)->n_threads,
              [&](int64_t first, int64_t end) {
                try {
                  differentiate(batch, weights, first, end, outputs);
                } catch (const std::exception&) {  // none may leave a thread
                  return false;
                }
                return true;
              });
  });
}

// losses (n_samples,), slopes like the scores, and (n_samples, n_classes, n_classes).
void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.part(LENGTHS, 1, 0, 1));
  shapes.set(1, shapes.whole(SCORES));
  shapes.set(2, shapes.joined(shapes.part(LENGTHS, 1, 0, 1), shapes.whole(PAIRS)));
}

const bool is_defined = [] {
  define({"SkseqChainLoss",
          {"scores: float", "pairs: float", "starts: float", "ends: float",
           "labels: int32", "lengths: int32"},
          {"losses: float", "slopes: float", "pair_slopes: float"},
          {"n_threads: int"},
          infer,
          create<LossAttributes>,
          compute,
          destroy<LossAttributes>});
  return true;
}();

}  // namespace
