// Question: what does compressing cost where it pays, and where it does not?
// Read it beside sha256_bench. The label says what was kept: it must not change.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>

#include "storage/base/digest.h"
#include "storage/chunker.h"
#include "storage/codec.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

using Bytes = std::vector<std::byte>;
constexpr std::size_t kInputBytes = 4 << 20;

double gaussian(testing::SeededRandom& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random.next() >> 11) * 0x1p-53;
  return sum - 6;
}

Bytes noise() { return testing::random_bytes(kInputBytes, 42); }

Bytes weights() {
  testing::SeededRandom random(42);
  std::vector<float> weights(kInputBytes / sizeof(float));
  for (float& weight : weights) weight = static_cast<float>(gaussian(random) / 20);
  const auto bytes = std::as_bytes(std::span(weights));
  return {bytes.begin(), bytes.end()};
}

Bytes lines_of(const std::function<int(testing::SeededRandom&, std::span<char>)>& print) {
  testing::SeededRandom random(42);
  std::string text;
  std::array<char, 256> line;
  while (text.size() < kInputBytes) {
    text.append(line.data(), static_cast<std::size_t>(print(random, line)));
  }
  const auto bytes = as_bytes(std::string_view(text).substr(0, kInputBytes));
  return {bytes.begin(), bytes.end()};
}

Bytes json() {
  return lines_of([](testing::SeededRandom& random, std::span<char> line) {
    return std::snprintf(line.data(), line.size(), "{\"p\": %.6f, \"eta\": %.4f},\n",
                         10 + gaussian(random), gaussian(random));
  });
}

Bytes hepmc() {
  return lines_of([](testing::SeededRandom& random, std::span<char> line) {
    return std::snprintf(line.data(), line.size(), "P %zu 211 %.16e %.16e %.16e %.16e 1\n",
                         random.below(1'000), gaussian(random), gaussian(random),
                         50 * gaussian(random), 60 + gaussian(random));
  });
}

void BM_Compress(benchmark::State& state, Bytes (*make_input)()) {
  const Bytes input = make_input();
  Compressor compressor;
  std::size_t stored_bytes = 0;
  for (auto _ : state) {
    stored_bytes = 0;
    for (std::size_t at = 0; at < input.size(); at += kChunkSizeTarget) {
      const auto chunk = std::span(input).subspan(at, kChunkSizeTarget);
      stored_bytes += compressor.compress(chunk).stored.size();
    }
    benchmark::DoNotOptimize(stored_bytes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size()));
  state.counters["kept"] =
      static_cast<double>(stored_bytes) / static_cast<double>(input.size());
}
BENCHMARK_CAPTURE(BM_Compress, noise, noise);
BENCHMARK_CAPTURE(BM_Compress, weights, weights);
BENCHMARK_CAPTURE(BM_Compress, json, json);
BENCHMARK_CAPTURE(BM_Compress, hepmc, hepmc);

void BM_DecompressJson(benchmark::State& state) {
  const Bytes input = json();
  const auto chunk = std::span(input).first(kChunkSizeTarget);
  Compressor compressor;
  const auto [codec, stored] = compressor.compress(chunk);
  Bytes raw(chunk.size());
  for (auto _ : state) decompress(codec, stored, raw);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(raw.size()));
  state.SetLabel(Digest::of(raw).hex().substr(0, 8));
}
BENCHMARK(BM_DecompressJson);

}  // namespace
}  // namespace mendel::storage
