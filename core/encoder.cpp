// A call from end to end: checks, micro-batches, threads, pooling.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "dispatch.h"
#include "gtekit.h"
#include "model.h"
#include "plan.h"
#include "pool.h"
#include "share.h"

namespace gtekit {
namespace {

// A call of at most so many tokens overtakes longer ones: any one text of a BERT model is such a call.
constexpr int64_t kUrgentTokens = 512;

void check(const PackedTexts& texts, const ModelConfig& config) {
  const auto fail = [](const std::string& what) { throw std::invalid_argument(what); };
  if (texts.cu_seqlens[0] != 0)
    fail("cu_seqlens has to begin with 0, not " + std::to_string(texts.cu_seqlens[0]) + ".");
  for (size_t text = 0; text < texts.num_texts; ++text) {
    const int64_t length = texts.cu_seqlens[text + 1] - texts.cu_seqlens[text];
    if (length <= 0) {
      fail("cu_seqlens has to ascend: text " + std::to_string(text) + " has " + std::to_string(length) + " tokens.");
    }
    if (static_cast<size_t>(length) > config.max_position_embeddings) {
      fail("text " + std::to_string(text) + " has " + std::to_string(length) + " tokens, the model has positions for " +
           std::to_string(config.max_position_embeddings) + ".");
    }
  }
  const int64_t tokens = texts.cu_seqlens[texts.num_texts];
  const auto* bad = std::find_if(texts.token_ids, texts.token_ids + tokens,
                                 [&](int32_t id) { return id < 0 || static_cast<size_t>(id) >= config.vocab_size; });
  if (bad != texts.token_ids + tokens) {
    fail("token " + std::to_string(bad - texts.token_ids) + " has id " + std::to_string(*bad) +
         ", the vocabulary ends at " + std::to_string(config.vocab_size - 1) + ".");
  }
}

void mean(const float* rows, size_t stride, size_t length, size_t size, float* out) {
  std::fill_n(out, size, 0.0f);
  for (size_t row = 0; row < length; ++row, rows += stride) {
    for (size_t i = 0; i < size; ++i) out[i] += rows[i];
  }
  for (size_t i = 0; i < size; ++i) out[i] /= static_cast<float>(length);
}

void l2_normalize(float* x, size_t size) {
  double squares = 0.0;
  for (size_t i = 0; i < size; ++i) squares += static_cast<double>(x[i]) * x[i];
  const float norm = std::max(static_cast<float>(std::sqrt(squares)), 1e-12f);  // as torch.nn.functional.normalize
  for (size_t i = 0; i < size; ++i) x[i] /= norm;
}

// What becomes of one text once its last hidden states are there.
using Finish = std::function<void(size_t text, const float* rows, size_t stride, size_t length)>;

void run_texts(const Model& model, Pool& pool, size_t threads, const PackedTexts& packed, size_t batch_tokens,
               const Poll& poll, const Finish& finish) {
  check(packed, model.config());
  if (packed.num_texts == 0) return;
  const Plan plan = plan_batches(packed.cu_seqlens, packed.num_texts, batch_tokens, threads);
  std::atomic<size_t> texts_done{0}, tokens_done{0};

  Job job;
  job.num_batches = plan.num_batches();
  job.is_urgent = packed.cu_seqlens[packed.num_texts] <= kUrgentTokens;
  if (poll) job.poll = [&] { poll(texts_done, tokens_done); };
  job.run = [&](size_t batch, Arena& arena, Team& team, const BetweenSteps& between_steps) {
    std::vector<Text> texts;
    for (size_t i = plan.starts[batch]; i < plan.starts[batch + 1]; ++i) {
      const int64_t* ends = packed.cu_seqlens + plan.order[i];
      texts.push_back({packed.token_ids + ends[0], static_cast<size_t>(ends[1] - ends[0])});
    }
    const Hidden hidden = model.forward(texts, arena, team, between_steps);
    size_t row = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      finish(plan.order[plan.starts[batch] + i], hidden.rows + row * hidden.stride, hidden.stride, texts[i].length);
      row += texts[i].length;
    }
    texts_done += texts.size();
    tokens_done += row;
  };
  pool.run(job);
}

}  // namespace

Encoder::Encoder(const ModelConfig& config, const Tensors& tensors, std::string_view isa, Precision precision,
                 size_t threads)
    : threads_(checked_threads(threads)) {
  model_ = std::make_unique<Model>(config, tensors, kernels(isa), precision, threads_);
}

Encoder::~Encoder() {
  Pool* pool = pool_.load();
  if (pool && pool->process_id() == current_process_id()) delete pool;
}

// A pool of the parent process is left where it is: neither its threads nor its locks survived fork().
Pool& Encoder::pool() const {
  Pool* current = pool_.load();
  if (current && current->process_id() == current_process_id()) return *current;
  auto fresh = std::make_unique<Pool>(threads_);
  if (pool_.compare_exchange_strong(current, fresh.get())) return *fresh.release();
  return *current;  // another thread was quicker
}

void Encoder::encode(const PackedTexts& texts, Pooling pooling, bool normalize, size_t batch_tokens, float* out,
                     const Poll& poll) {
  const size_t size = config().hidden_size;
  run_texts(*model_, pool(), threads_, texts, batch_tokens, poll,
            [&](size_t text, const float* rows, size_t stride, size_t length) {
              float* embedding = out + text * size;
              if (pooling == Pooling::cls) {
                std::memcpy(embedding, rows, size * sizeof(float));
              } else {
                mean(rows, stride, length, size, embedding);
              }
              if (normalize) l2_normalize(embedding, size);
            });
}

void Encoder::hidden_states(const PackedTexts& texts, size_t batch_tokens, float* out, const Poll& poll) {
  const size_t size = config().hidden_size;
  run_texts(*model_, pool(), threads_, texts, batch_tokens, poll,
            [&](size_t text, const float* rows, size_t stride, size_t length) {
              float* target = out + static_cast<size_t>(texts.cu_seqlens[text]) * size;
              for (size_t row = 0; row < length; ++row) {
                std::memcpy(target + row * size, rows + row * stride, size * sizeof(float));
              }
            });
}

const ModelConfig& Encoder::config() const { return model_->config(); }
void Encoder::time_parts(bool on) { model_->timing().turn_on(on); }

std::vector<std::pair<std::string, double>> Encoder::part_seconds() const {
  std::vector<std::pair<std::string, double>> seconds;
  for (size_t part = 0; part < kParts; ++part) {
    seconds.emplace_back(kPartNames[part], static_cast<double>(model_->timing().nanoseconds(part)) * 1e-9);
  }
  return seconds;
}

Precision Encoder::precision() const { return model_->precision(); }
const char* Encoder::isa() const { return model_->kernels().name; }
size_t Encoder::weight_bytes() const { return model_->weight_bytes(); }
size_t Encoder::workspace_bytes() const { return pool().workspace_bytes(); }

}  // namespace gtekit
