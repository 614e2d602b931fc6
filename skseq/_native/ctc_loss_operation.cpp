// The loss of CTC as TensorFlow's operation SkseqCtcLoss. A sequence's loss and slopes
// are the same to the bit whatever is beside it, and with any number of threads.

#include "ctc_loss.h"
#include "operations.h"
#include "recurrences.h"
#include "share_out.h"

using namespace skseq;

namespace {

// A label's work in a frame that is as much as so many products.
constexpr int64_t WORK_PER_LABEL = 256;

struct LossAttributes {
  int64_t n_threads = 1;

  void read(const Construction& construction) {
    construction.read("n_threads", &n_threads);
  }
};

enum { LOGITS, LENGTHS, LABELS, LABEL_LENGTHS };

// A batch of logits (n_samples, n_frames, n_classes) and labels, right-padded.
struct Batch {
  int64_t n_samples, n_frames, n_classes, n_labels;
  const float* logits;
  const int32_t *lengths, *labels, *label_lengths;

  explicit Batch(Call& call)
      : n_samples(call.size(LOGITS, "logits", 3, 0)),
        n_frames(call.size(LOGITS, "logits", 3, 1)),
        n_classes(call.size(LOGITS, "logits", 3, 2)),
        n_labels(call.size(LABELS, "labels", 2, 1)),
        logits(call.numbers(LOGITS)),
        lengths(call.input<int32_t>(LENGTHS, "lengths", {n_samples})),
        labels(call.input<int32_t>(LABELS, "labels", {n_samples, n_labels})),
        label_lengths(
            call.input<int32_t>(LABEL_LENGTHS, "label_lengths", {n_samples})) {
    for (int64_t i = 0; i < n_samples; ++i) check(i);
  }

  const int32_t* labels_of(int64_t i) const { return labels + i * n_labels; }

 private:
  void check(int64_t i) const {
    const int64_t n = label_lengths[i], length = lengths[i];
    if (n_classes < 1 || n < 0 || n > n_labels || length < 0 || length > n_frames) {
      refuse(i, "lengths must be from 0 to the number of frames or labels");
    }
    int64_t needed = n;
    for (int64_t u = 0; u < n; ++u) {
      const int32_t label = labels_of(i)[u];
      if (label < 0 || label >= n_classes - 1) {
        refuse(i, "labels must be numbers of classes");
      }
      needed += u > 0 && label == labels_of(i)[u - 1];
    }
    if (needed > length) refuse(i, "its labels need more frames than it has");
  }

  [[noreturn]] static void refuse(int64_t i, const char* fault) {
    throw Failure{TF_INVALID_ARGUMENT,
                  "Sequence " + std::to_string(i) + ": " + fault + "."};
  }
};

// The losses of sequences number `first` to before `end`.
void differentiate(const Batch& batch, int64_t first, int64_t end, float* losses,
                   float* slopes) {
  if (first == end) return;
  CtcLoss loss;
  std::vector<double> log_sums(batch.n_frames);
  const int64_t size = batch.n_frames * batch.n_classes;
  for (int64_t i = first; i < end; ++i) {
    const int64_t length = batch.lengths[i];
    const Sample<float> logits{batch.logits + i * size, length, batch.n_classes - 1};
    float* own = slopes + i * size;
    kernels().rows.softmax(logits.frames, batch.n_classes, 0, length, own,
                           log_sums.data());
    losses[i] = static_cast<float>(loss.differentiate(
        logits, log_sums.data(), batch.labels_of(i), batch.label_lengths[i], own));
    std::fill(own + length * batch.n_classes, own + size, 0.0f);
  }
}

void compute(void* attributes, TF_OpKernelContext* context) {
  guarded(context, "The loss of CTC", [&](Call& call) {
    const Batch batch(call);
    float* losses = call.output(0, {batch.n_samples});
    float* slopes = call.output(1, {batch.n_samples, batch.n_frames, batch.n_classes});
    const int64_t work = batch.n_classes * WORK_PER_NUMBER +
                         (2 * batch.n_labels + 1) * WORK_PER_LABEL;
    share_out(batch.n_samples, batch.n_frames * work,
              static_cast<LossAttributes*>(attributes)->n_threads,
              [&](int64_t first, int64_t end) {
                try {
                  differentiate(batch, first, end, losses, slopes);
                } catch (const std::exception&) {  // none may leave a thread
                  return false;
                }
                return true;
              });
  });
}

// losses (n_samples,), and slopes like the logits.
void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.set(0, shapes.part(LABEL_LENGTHS, 1, 0, 1));
  shapes.set(1, shapes.whole(LOGITS));
}

const bool is_defined = [] {
  define({"SkseqCtcLoss",
          {"logits: float", "lengths: int32", "labels: int32", "label_lengths: int32"},
          {"losses: float", "slopes: float"},
          {"n_threads: int"},
          infer,
          create<LossAttributes>,
          compute,
          destroy<LossAttributes>});
  return true;
}();

}  // namespace
