// A test is a function with a sentence for a name. A failed CHECK says where and with which values, and the program
// ends with the number of failures.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace test {

inline int failures = 0;

inline std::vector<std::pair<const char*, std::function<void()>>>& all() {
  static std::vector<std::pair<const char*, std::function<void()>>> tests;
  return tests;
}

struct Register {
  Register(const char* name, std::function<void()> body) { all().emplace_back(name, std::move(body)); }
};

template <typename... Values>
void fail(const char* file, int line, const char* condition, const Values&... values) {
  std::ostringstream text;
  ((text << ' ' << values), ...);
  std::fprintf(stderr, "%s:%d: not true: %s;%s\n", file, line, condition, text.str().c_str());
  ++failures;
}

inline std::vector<float> random_floats(size_t count, unsigned seed, float spread = 1.0f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

template <typename T>
std::vector<T> random_ints(size_t count, unsigned seed, int lowest, int highest) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> uniform(lowest, highest);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(uniform(generator));
  return values;
}

inline double cosine(const float* a, const float* b, size_t size) {
  double product = 0.0, of_a = 0.0, of_b = 0.0;
  for (size_t i = 0; i < size; ++i) {
    product += static_cast<double>(a[i]) * b[i];
    of_a += static_cast<double>(a[i]) * a[i];
    of_b += static_cast<double>(b[i]) * b[i];
  }
  return product / std::sqrt(of_a * of_b);
}

// Values at an odd address: one element past wherever the vector begins, and nothing after the last.
template <typename T>
struct Shifted {
  explicit Shifted(const std::vector<T>& values) : storage(values.size() + 1) {
    std::copy(values.begin(), values.end(), storage.begin() + 1);
  }
  T* data() { return storage.data() + 1; }
  const T* data() const { return storage.data() + 1; }
  std::vector<T> storage;
};

inline int run_all() {
  for (const auto& [name, body] : all()) {
    const int before = failures;
    try {
      body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: threw %s\n", name, error.what());
      ++failures;
    }
    std::printf("%s %s\n", failures == before ? "ok  " : "FAIL", name);
  }
  std::printf("%zu tests, %d failures\n", all().size(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace test

#define TEST(name)                                          \
  static void name();                                       \
  static const test::Register register_##name(#name, name); \
  static void name()

#define CHECK(condition, ...)                                                                \
  do {                                                                                       \
    if (!(condition)) test::fail(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

#define CHECK_THROWS(type, text, ...)                        \
  do {                                                       \
    std::string message = "(nothing thrown)";                \
    try {                                                    \
      __VA_ARGS__;                                           \
    } catch (const type& error) {                            \
      message = error.what();                                \
    }                                                        \
    CHECK(message.find(text) != std::string::npos, message); \
  } while (false)
