// Python's view of the core: checks types and shapes, releases the GIL, calls gtekit.h.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>

#include "gtekit.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using TokenIds = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using CuSeqlens = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using AnyArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using Allowed = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<nb::numpy, int64_t, nb::ndim<2>>;
using Output = nb::ndarray<nb::numpy, float, nb::ndim<2>>;

gtekit::Dtype dtype_of(const std::string& name, const AnyArray& array) {
  if (array.dtype() == nb::dtype<float>()) return gtekit::Dtype::float32;
  if (array.dtype().code == static_cast<uint8_t>(nb::dlpack::dtype_code::Float) && array.dtype().bits == 16) {
    return gtekit::Dtype::float16;
  }
  if (array.dtype() == nb::dtype<uint16_t>()) return gtekit::Dtype::bfloat16;  // numpy has no bfloat16: its bits
  throw std::invalid_argument("tensor '" + name + "' is neither float32, float16 nor the bits of bfloat16 (uint16).");
}

gtekit::PackedTexts packed(const TokenIds& token_ids, const CuSeqlens& cu_seqlens) {
  if (cu_seqlens.size() == 0) throw std::invalid_argument("cu_seqlens is empty; for no texts it is [0].");
  const size_t num_texts = cu_seqlens.size() - 1;
  if (cu_seqlens.data()[num_texts] != static_cast<int64_t>(token_ids.size())) {
    throw std::invalid_argument("cu_seqlens ends at " + std::to_string(cu_seqlens.data()[num_texts]) +
                                ", token_ids has " + std::to_string(token_ids.size()) + "; they must agree.");
  }
  return {token_ids.data(), cu_seqlens.data(), num_texts};
}

template <typename T, size_t kDimensions = 2>
nb::ndarray<nb::numpy, T, nb::ndim<kDimensions>> array_of(const std::array<size_t, kDimensions>& shape) {
  size_t size = 1;
  for (const size_t length : shape) size *= length;
  std::unique_ptr<T[]> values(new T[size]);  // not zeroed: every number is written
  nb::capsule owner(values.get(), [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return {values.release(), kDimensions, shape.data(), owner};
}

Output output(size_t rows, size_t columns) { return array_of<float>({rows, columns}); }

// Lets Ctrl-C through and reports progress, from the calling thread, which has let go of the GIL.
gtekit::Poll poll_for(const nb::object& report) {
  return [&report](size_t texts, size_t tokens) {
    nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!report.is_none()) report(texts, tokens);
  };
}

gtekit::Pooling pooling_of(const std::string& name) {
  if (name == "mean") return gtekit::Pooling::mean;
  if (name == "cls") return gtekit::Pooling::cls;
  throw std::invalid_argument("unknown pooling '" + name + "'; there are: mean, cls.");
}

gtekit::Precision precision_of(const std::string& name) {
  if (name == "float32") return gtekit::Precision::float32;
  if (name == "int8") return gtekit::Precision::int8;
  throw std::invalid_argument("unknown precision '" + name + "'; there are: float32, int8.");
}

// Vectors to search in, or to search for.
gtekit::Rows rows_of(const std::string& name, const AnyArray& array) {
  const gtekit::Dtype dtype = dtype_of(name, array);
  if (array.ndim() != 2 || dtype == gtekit::Dtype::bfloat16) {
    throw std::invalid_argument(name + " have to be float32 or float16 in two dimensions.");
  }
  return {array.data(), dtype, array.shape(0), array.shape(1)};
}

gtekit::Search search_with(const std::string& isa, size_t threads) {
  return {isa, threads, [] {
            nb::gil_scoped_acquire gil;
            if (PyErr_CheckSignals() != 0) throw nb::python_error();
          }};
}

nb::tuple find_nearest(const AnyArray& queries, const AnyArray& vectors, size_t top_k,
                       const std::optional<Allowed>& allowed, const std::string& isa, size_t threads) {
  const gtekit::Rows of_queries = rows_of("queries", queries), of_vectors = rows_of("vectors", vectors);
  if (allowed && allowed->size() != of_vectors.count) {
    throw std::invalid_argument("allowed has " + std::to_string(allowed->size()) + " values for " +
                                std::to_string(of_vectors.count) + " vectors; it needs one for each.");
  }
  Output scores = output(of_queries.count, top_k);
  Numbers numbers = array_of<int64_t>({of_queries.count, top_k});
  const gtekit::Search search = search_with(isa, threads);
  {
    nb::gil_scoped_release release;
    gtekit::find_nearest(of_queries, of_vectors, allowed ? allowed->data() : nullptr, top_k,
                         {scores.data(), numbers.data()}, search);
  }
  return nb::make_tuple(scores, numbers);
}

nb::object find_pairs(const AnyArray& vectors, size_t begin, size_t end, float threshold, size_t most,
                      const std::string& isa, size_t threads) {
  const gtekit::Rows rows = rows_of("vectors", vectors);
  const gtekit::Search search = search_with(isa, threads);
  std::optional<std::vector<gtekit::Pair>> pairs;
  {
    nb::gil_scoped_release release;
    pairs = gtekit::find_pairs(rows, begin, end, threshold, most, search);
  }
  if (!pairs) return nb::none();
  auto left = array_of<int64_t, 1>({pairs->size()}), right = array_of<int64_t, 1>({pairs->size()});
  auto scores = array_of<float, 1>({pairs->size()});
  for (size_t i = 0; i < pairs->size(); ++i) {
    left.data()[i] = static_cast<int64_t>((*pairs)[i].left);
    right.data()[i] = static_cast<int64_t>((*pairs)[i].right);
    scores.data()[i] = (*pairs)[i].score;
  }
  return nb::make_tuple(left, right, scores);
}

void make_encoder(gtekit::Encoder* self, const gtekit::ModelConfig& config, const nb::dict& tensors,
                  const std::string& isa, const std::string& precision, size_t threads) {
  const gtekit::Precision kind = precision_of(precision);
  gtekit::Tensors named;
  std::vector<AnyArray> arrays;  // keeps them alive while the weights are packed
  for (auto [key, value] : tensors) {
    const auto name = nb::cast<std::string>(key);
    auto array = nb::cast<AnyArray>(value);
    std::vector<size_t> shape;
    for (size_t i = 0; i < array.ndim(); ++i) shape.push_back(array.shape(i));
    named[name] = {array.data(), dtype_of(name, array), std::move(shape)};
    arrays.push_back(std::move(array));
  }
  nb::gil_scoped_release release;
  new (self) gtekit::Encoder(config, named, isa, kind, threads);
}

}  // namespace

NB_MODULE(_core, m) {
  nb::set_leak_warnings(false);  // an engine that lives as long as its program is no leak
  m.doc() = "The native engine: a BERT encoder over packed token ids.";

  nb::class_<gtekit::ModelConfig>(m, "ModelConfig")
      .def(
          "__init__",
          [](gtekit::ModelConfig* self, size_t hidden_size, size_t num_hidden_layers, size_t num_attention_heads,
             size_t intermediate_size, size_t vocab_size, size_t max_position_embeddings, size_t type_vocab_size,
             float layer_norm_eps) {
            new (self) gtekit::ModelConfig{hidden_size, num_hidden_layers,       num_attention_heads, intermediate_size,
                                           vocab_size,  max_position_embeddings, type_vocab_size,     layer_norm_eps};
          },
          nb::kw_only(), "hidden_size"_a, "num_hidden_layers"_a, "num_attention_heads"_a, "intermediate_size"_a,
          "vocab_size"_a, "max_position_embeddings"_a, "type_vocab_size"_a, "layer_norm_eps"_a);

  nb::class_<gtekit::Encoder>(m, "Encoder")
      .def("__init__", &make_encoder, "config"_a, "tensors"_a, nb::kw_only(), "isa"_a, "precision"_a, "threads"_a)
      .def(
          "encode",
          [](gtekit::Encoder& self, const TokenIds& token_ids, const CuSeqlens& cu_seqlens, const std::string& pooling,
             bool normalize, size_t batch_tokens, const nb::object& report) {
            const gtekit::PackedTexts texts = packed(token_ids, cu_seqlens);
            const gtekit::Pooling kind = pooling_of(pooling);
            Output embeddings = output(texts.num_texts, self.config().hidden_size);
            const gtekit::Poll poll = poll_for(report);
            {
              nb::gil_scoped_release release;
              self.encode(texts, kind, normalize, batch_tokens, embeddings.data(), poll);
            }
            return embeddings;
          },
          "token_ids"_a, "cu_seqlens"_a, nb::kw_only(), "pooling"_a, "normalize"_a, "batch_tokens"_a,
          "report"_a = nb::none())
      .def(
          "hidden_states",
          [](gtekit::Encoder& self, const TokenIds& token_ids, const CuSeqlens& cu_seqlens, size_t batch_tokens,
             const nb::object& report) {
            const gtekit::PackedTexts texts = packed(token_ids, cu_seqlens);
            Output hidden = output(token_ids.size(), self.config().hidden_size);
            const gtekit::Poll poll = poll_for(report);
            {
              nb::gil_scoped_release release;
              self.hidden_states(texts, batch_tokens, hidden.data(), poll);
            }
            return hidden;
          },
          "token_ids"_a, "cu_seqlens"_a, nb::kw_only(), "batch_tokens"_a, "report"_a = nb::none())
      .def("time_parts", &gtekit::Encoder::time_parts, "on"_a)
      .def("part_seconds",
           [](const gtekit::Encoder& self) {
             nb::dict seconds;
             for (const auto& [part, passed] : self.part_seconds()) seconds[part.c_str()] = passed;
             return seconds;
           })
      .def_prop_ro(
          "precision",
          [](const gtekit::Encoder& self) { return self.precision() == gtekit::Precision::int8 ? "int8" : "float32"; })
      .def_prop_ro("isa", &gtekit::Encoder::isa)
      .def_prop_ro("threads", &gtekit::Encoder::threads)
      .def_prop_ro("weight_bytes", &gtekit::Encoder::weight_bytes)
      .def_prop_ro("workspace_bytes", &gtekit::Encoder::workspace_bytes);

  m.def("find_nearest", &find_nearest, "queries"_a, "vectors"_a, nb::kw_only(), "top_k"_a, "allowed"_a.none(), "isa"_a,
        "threads"_a, "Scores and numbers of the vectors with the largest products.");
  m.def("find_pairs", &find_pairs, "vectors"_a, "begin"_a, "end"_a, nb::kw_only(), "threshold"_a, "most"_a, "isa"_a,
        "threads"_a, "Left, right and scores of the pairs that reach a threshold, or None for more than `most`.");
  m.def(
      "sum_words",
      [](const AnyArray& array, size_t threads) {
        nb::gil_scoped_release release;
        return gtekit::sum_words(array.data(), array.nbytes(), threads);
      },
      "array"_a, nb::kw_only(), "threads"_a, "The sum of all 64-bit words: how fast memory can be read at all.");
  m.def("compiled_isas", &gtekit::compiled_isas, "Kernel sets in this binary, fastest first.");
  m.def("isas", &gtekit::possible_isas, "Kernel sets that can run here, fastest first.");
  m.def(
      "measure_ceiling",
      [](const std::string& isa, const std::string& precision, size_t threads, double seconds) {
        const gtekit::Precision kind = precision_of(precision);
        nb::gil_scoped_release release;
        return gtekit::measure_ceiling(isa, kind, threads, seconds);
      },
      nb::kw_only(), "isa"_a, "precision"_a, "threads"_a, "seconds"_a,
      "Operations a second of a loop in registers alone: what no product can exceed here.");
  m.def(
      "cpu_features",
      [] {
        nb::dict features;
        for (const auto& [name, has] : gtekit::cpu_features()) features[name.c_str()] = has;
        return features;
      },
      "What the CPU offers and the operating system lets through.");
}
