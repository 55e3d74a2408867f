// Question: how close to plain SHA-256 do a writer's two passes (chunks, blob) and a
// receiver's two passes come, and a reader that checks CRC-32C alone?
// Each one works on the same noise, so all bytes_per_second stand beside sha256's.

#include <benchmark/benchmark.h>

#include "storage/base/sha256.h"
#include "storage/blob_reader.h"
#include "storage/blob_writer.h"
#include "storage/memory_object_store.h"
#include "storage/pack_ingest.h"
#include "tests/testing/depot.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

const std::vector<std::byte>& input() {
  static const auto bytes = testing::random_bytes(128 << 20, /*seed=*/42);
  return bytes;
}

struct NothingKnown : KnownChunks {
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override {
    return std::vector<std::optional<Digest>>(digests.size());
  }
};

// Counts what it is given, or keeps it.
struct StreamTarget : PackTarget, Sink {
  Sink& begin_pack() override { return *this; }
  void end_pack(PackIndex, std::vector<StoredBlob> completed) override {
    blobs += completed.size();
  }
  void write(std::span<const std::byte> data) override {
    size += data.size();
    if (keep) bytes.insert(bytes.end(), data.begin(), data.end());
  }

  bool keep = false;
  std::size_t size = 0;
  std::size_t blobs = 0;
  std::vector<std::byte> bytes;
};

void write_input(StreamTarget& target) {
  NothingKnown known;
  BlobWriter writer(target, known);
  writer.append(input());
  writer.end_blob();
  writer.flush();
}

void count(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * input().size()));
}

void BM_Sha256(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Digest::of(input()));
  count(state);
}
BENCHMARK(BM_Sha256)->Unit(benchmark::kMillisecond);

void BM_WriteBlob(benchmark::State& state) {
  for (auto _ : state) {
    StreamTarget target;
    write_input(target);
    state.counters["blobs"] = static_cast<double>(target.blobs);
    state.counters["pack_bytes"] = static_cast<double>(target.size);
  }
  count(state);
}
BENCHMARK(BM_WriteBlob)->Unit(benchmark::kMillisecond);

void BM_IngestPacks(benchmark::State& state) {
  StreamTarget stream;
  stream.keep = true;
  write_input(stream);
  for (auto _ : state) {
    MemoryObjectStore objects;
    testing::Depot depot(objects);
    depot.ingest(stream.bytes, 1 << 18);
    state.counters["blobs"] = static_cast<double>(depot.blob_count());
  }
  count(state);
}
BENCHMARK(BM_IngestPacks)->Unit(benchmark::kMillisecond);

void BM_ReadBlob(benchmark::State& state) {
  MemoryObjectStore objects;
  testing::Depot depot(objects);
  const Digest digest = depot.push({input()}).digests[0];
  const BlobLocation& blob = depot.location(digest);
  std::vector<std::byte> buffer(1 << 20);
  for (auto _ : state) {
    BlobReader reader(depot.packs(), blob, 0, blob.size_bytes);
    std::size_t size = 0;
    while (const std::size_t count = reader.read(buffer)) size += count;
    state.counters["size"] = static_cast<double>(size);
  }
  count(state);
}
BENCHMARK(BM_ReadBlob)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mendel::storage
