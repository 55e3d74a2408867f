// Question: how much more than one SHA-256 does it cost to verify a pack that streams in,
// and to write one? Read it beside sha256_bench.

#include <benchmark/benchmark.h>

#include "storage/chunker.h"
#include "storage/pack.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/vector_sink.h"

namespace mendel::storage {
namespace {

struct CountingSink : Sink {
  void write(std::span<const std::byte> data) override { bytes += data.size(); }

  std::size_t bytes = 0;
};

struct CountingVisitor : PackParser::Visitor {
  void pack_bytes(std::span<const std::byte> data) override { bytes += data.size(); }
  void record(const RecordHeader&, std::span<const std::byte>) override { ++records; }
  void pack_end(PackIndex) override {}

  std::size_t bytes = 0;
  std::size_t records = 0;
};

void write_noise(Sink& sink) {
  static const auto noise = testing::random_bytes(16 << 20, /*seed=*/42);
  PackWriter writer(sink);
  for (std::size_t at = 0; at < noise.size(); at += kChunkSizeTarget) {
    const auto chunk = std::span(noise).subspan(at, kChunkSizeTarget);
    writer.add(RecordType::chunk, Digest::of(chunk), chunk);
  }
  writer.finish();
}

void BM_WriteNoise(benchmark::State& state) {
  std::size_t bytes = 0;
  for (auto _ : state) {
    CountingSink sink;
    write_noise(sink);
    bytes = sink.bytes;
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_WriteNoise)->Unit(benchmark::kMillisecond);

// The argument is the size of the pieces in which the stream comes.
void BM_ParseNoise(benchmark::State& state) {
  testing::VectorSink pack;
  write_noise(pack);
  const auto piece_size = static_cast<std::size_t>(state.range(0));
  CountingVisitor visitor;
  for (auto _ : state) {
    visitor = {};
    PackParser parser(visitor, ErrorCode::unprocessable);
    for (std::span<const std::byte> rest(pack.bytes); !rest.empty();) {
      const auto piece = rest.first(std::min(piece_size, rest.size()));
      parser.append(piece);
      rest = rest.subspan(piece.size());
    }
    parser.finish();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(visitor.bytes));
  state.counters["records"] = static_cast<double>(visitor.records);
}
BENCHMARK(BM_ParseNoise)
    ->Arg(16 << 10)
    ->Arg(256 << 10)
    ->Arg(4 << 20)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mendel::storage
