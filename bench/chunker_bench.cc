// Question: does cutting a stream into chunks keep up with one core's SHA-256?
// Read it beside sha256_bench; both print bytes_per_second over the same noise.

#include <benchmark/benchmark.h>

#include "storage/chunker.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

void BM_ChunkNoise(benchmark::State& state) {
  const auto input = testing::random_bytes(64 << 20, /*seed=*/42);
  std::size_t chunks = 0;
  for (auto _ : state) {
    chunks = 0;
    for (std::span<const std::byte> rest(input); !rest.empty(); ++chunks) {
      rest = rest.subspan(first_chunk_size(rest));
    }
    benchmark::DoNotOptimize(chunks);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size()));
  state.counters["chunks"] = static_cast<double>(chunks);  // must not change
}
BENCHMARK(BM_ChunkNoise)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mendel::storage
