// Question: how fast can anything be that hashes every byte once? The yardstick for the
// other benches of the storage folder: SHA-256 of chunks and of small files, and CRC-32C.

#include <benchmark/benchmark.h>

#include "storage/base/crc32c.h"
#include "storage/base/digest.h"
#include "storage/base/sha256.h"
#include "tests/testing/random_bytes.h"

namespace mendel {
namespace {

void set_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void BM_Sha256(benchmark::State& state) {
  const auto input = testing::random_bytes(static_cast<std::size_t>(state.range(0)), 42);
  Digest digest;
  for (auto _ : state) {
    digest = Digest::of(input);
    benchmark::DoNotOptimize(digest);
  }
  set_bytes(state, input.size());
  state.SetLabel(digest.hex().substr(0, 8));  // must not change
}
BENCHMARK(BM_Sha256)->Arg(1 << 10)->Arg(64 << 10);

void BM_Sha256OfTwoMessages(benchmark::State& state) {
  const auto input = testing::random_bytes(static_cast<std::size_t>(state.range(0)), 42);
  Sha256 whole;
  whole.update(std::span(input).first(13));
  for (auto _ : state) {
    Sha256 part;
    Sha256::update_both(part, whole, input);
    benchmark::DoNotOptimize(part.finish());
  }
  set_bytes(state, input.size());
}
BENCHMARK(BM_Sha256OfTwoMessages)->Arg(1 << 10)->Arg(64 << 10);

void BM_Crc32c(benchmark::State& state) {
  const auto input = testing::random_bytes(static_cast<std::size_t>(state.range(0)), 42);
  std::uint32_t crc = 0;
  for (auto _ : state) {
    crc = crc32c(input);
    benchmark::DoNotOptimize(crc);
  }
  set_bytes(state, input.size());
  state.counters["crc"] = crc;  // must not change
}
BENCHMARK(BM_Crc32c)->Arg(1 << 10)->Arg(64 << 10);

void BM_Crc32cPortable(benchmark::State& state) {
  const auto input = testing::random_bytes(64 << 10, 42);
  std::uint32_t crc = 0;
  for (auto _ : state) {
    crc = crc32c_portable(input);
    benchmark::DoNotOptimize(crc);
  }
  set_bytes(state, input.size());
  state.counters["crc"] = crc;
}
BENCHMARK(BM_Crc32cPortable);

}  // namespace
}  // namespace mendel
