// The whole C++ API of the core: a BERT encoder that turns packed token ids into embeddings on a CPU, and exact search
// among them.
//
// Shape letters: B texts, S tokens of all texts end to end, D hidden size, H heads, E size of one head,
// F feed-forward size, V vocabulary, Q queries, N vectors to search in, K results.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gtekit {

// The fields of a checkpoint's config.json that shape the computation.
struct ModelConfig {
  size_t hidden_size = 0;
  size_t num_hidden_layers = 0;
  size_t num_attention_heads = 0;
  size_t intermediate_size = 0;
  size_t vocab_size = 0;
  size_t max_position_embeddings = 0;
  size_t type_vocab_size = 0;
  float layer_norm_eps = 0.0f;
};

enum class Dtype { float32, float16, bfloat16 };

// A row-major array as a checkpoint holds it. Borrowed: it has to outlive the constructor of Encoder only.
struct Tensor {
  const void* data = nullptr;
  Dtype dtype = Dtype::float32;
  std::vector<size_t> shape;
};

// By the names that Hugging Face gives a BertModel, without prefix.
using Tensors = std::map<std::string, Tensor>;

enum class Pooling { mean, cls };

// Of the linear layers: as the checkpoint has them, or quantized to 8 bits when it is loaded, which takes 50 ms.
enum class Precision { float32, int8 };

// Texts end to end. Text b is token_ids[cu_seqlens[b]] up to token_ids[cu_seqlens[b + 1]].
struct PackedTexts {
  const int32_t* token_ids = nullptr;   // (S,)
  const int64_t* cu_seqlens = nullptr;  // (B + 1,)
  size_t num_texts = 0;
};

inline constexpr size_t kMostThreads = 1024;

// Asked on the calling thread several times a second, with the texts and tokens done so far. It may call the encoder.
// It ends the call by throwing: what it throws reaches the caller once no thread works for the call any more.
using Poll = std::function<void(size_t texts, size_t tokens)>;

class Model;
class Pool;

// An encoder with its threads. Every method may be called from several threads at once, and after fork().
// A text gives the same bits whatever else is in the call, in whatever order, on however many threads.
class Encoder {
 public:
  // isa: a name out of possible_isas(). threads: the most that work at once, callers included; 1 to kMostThreads.
  // Throws std::invalid_argument for a config or a tensor that does not fit.
  Encoder(const ModelConfig& config, const Tensors& tensors, std::string_view isa, Precision precision, size_t threads);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Pooled vectors, (B, D) at `out`. A call of at most 512 tokens is urgent: it overtakes longer calls, whose
  // micro-batches wait for it between two steps of a layer.
  void encode(const PackedTexts& texts, Pooling pooling, bool normalize, size_t batch_tokens, float* out,
              const Poll& poll);

  // Last hidden states, (S, D) at `out`, packed like the texts.
  void hidden_states(const PackedTexts& texts, size_t batch_tokens, float* out, const Poll& poll);

  // Begins or ends the measuring of the parts of a forward pass, all at 0 again.
  void time_parts(bool on);
  // Seconds by part, of all threads together, since time_parts(true).
  std::vector<std::pair<std::string, double>> part_seconds() const;

  const ModelConfig& config() const;
  const char* isa() const;
  Precision precision() const;
  size_t threads() const { return threads_; }
  size_t weight_bytes() const;
  size_t workspace_bytes() const;

 private:
  Pool& pool() const;

  std::unique_ptr<Model> model_;
  size_t threads_;
  mutable std::atomic<Pool*> pool_{nullptr};
};

// Vectors end to end, float32 or float16. Borrowed.
struct Rows {
  const void* data = nullptr;  // (count, dimension)
  Dtype dtype = Dtype::float32;
  size_t count = 0;
  size_t dimension = 0;
};

// How a search runs. A product has the same bits whatever else is in the call, on however many threads; so it has on
// all kernel sets but scalar.
struct Search {
  std::string_view isa;        // out of possible_isas()
  size_t threads = 1;          // the most that work at once, the caller included; 1 to kMostThreads
  std::function<void()> poll;  // asked on the calling thread several times a second; ends the call by throwing
};

// The vectors with the largest products for each query: scores and numbers are (Q, K), best first, of equal ones the
// earlier vector, NaN last. allowed: (N,), 0 for a vector that may not be found, or null for all. top_k is K: no more
// than the vectors allowed. Throws std::invalid_argument for arrays that do not fit together.
struct Found {
  float* scores = nullptr;
  int64_t* numbers = nullptr;
};
void find_nearest(const Rows& queries, const Rows& vectors, const uint8_t* allowed, size_t top_k, const Found& found,
                  const Search& search);

struct Pair {
  size_t left, right;  // left < right
  float score;
};

// All pairs of vectors whose product is at least `threshold`, of which the right one is `begin` or later and before
// `end`, by right, then left. None at all where there are more than `most`: ask for fewer rows then.
std::optional<std::vector<Pair>> find_pairs(const Rows& vectors, size_t begin, size_t end, float threshold, size_t most,
                                            const Search& search);

// The sum of 64-bit words, a multiple of four of them, read by so many threads: how fast memory can be read at all.
uint64_t sum_words(const void* data, size_t bytes, size_t threads);

std::vector<std::string> compiled_isas();  // kernel sets in this binary, fastest first
std::vector<std::string> possible_isas();  // those that this CPU and operating system can run, fastest first

// Operations a second, a multiplication and an addition being two, of a loop in registers alone on so many threads:
// what no product can exceed on this machine. Throws std::invalid_argument for a name not out of possible_isas(), no
// threads or more than kMostThreads, or no time.
double measure_ceiling(std::string_view isa, Precision precision, size_t threads, double seconds);

// What the CPU offers and the operating system lets through, for people to read.
std::vector<std::pair<std::string, bool>> cpu_features();

}  // namespace gtekit
