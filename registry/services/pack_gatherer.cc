#include "registry/services/pack_gatherer.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "registry/services/object_pack.h"
#include "registry/services/pack_rows.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

// What one pack takes at the most, so that nobody waits for long and packs stay of a size
// that is read back in one go.
constexpr std::size_t kRecordsMax = 4096;
constexpr std::uint64_t kRawBytesMax = 32ull << 20;

}  // namespace

struct PackGatherer::Waiting {
  Waiting(storage::RecordType its_type, const Digest& its_digest,
          std::span<const std::byte> its_raw)
      : type(its_type), digest(its_digest), raw(its_raw) {}

  const storage::RecordType type;
  const Digest& digest;
  const std::span<const std::byte> raw;

  enum class Turn { waits, leads, done } turn = Turn::waits;
  std::optional<Error> failure;
  std::condition_variable changed;
};

// A namespace has a queue while somebody writes for it. The one who leads stands in no
// queue.
struct PackGatherer::State {
  std::mutex mutex;
  std::map<NamespaceId, std::deque<Waiting*>> queues;

  bool lead_or_wait(NamespaceId ns, Waiting& mine) {
    std::unique_lock lock(mutex);
    const auto [queue, is_first] = queues.try_emplace(ns);
    if (is_first) return true;
    queue->second.push_back(&mine);
    mine.changed.wait(lock, [&] { return mine.turn != Waiting::Turn::waits; });
    return mine.turn == Waiting::Turn::leads;
  }

  std::vector<Waiting*> take(NamespaceId ns, Waiting& leader) {
    const std::lock_guard lock(mutex);
    std::deque<Waiting*>& queue = queues.at(ns);
    std::vector<Waiting*> records{&leader};
    std::uint64_t raw_bytes = leader.raw.size();
    while (!queue.empty() && records.size() < kRecordsMax) {
      raw_bytes += queue.front()->raw.size();
      if (raw_bytes > kRawBytesMax) break;
      records.push_back(queue.front());
      queue.pop_front();
    }
    return records;
  }

  // A record belongs to the thread that waits with it and is gone once that thread goes on:
  // it is told under the lock.
  void release(NamespaceId ns, std::span<Waiting* const> records,
               const std::optional<Error>& failure) {
    const std::lock_guard lock(mutex);
    for (Waiting* record : records) {
      record->failure = failure;
      record->turn = Waiting::Turn::done;
      record->changed.notify_one();
    }
    const auto queue = queues.find(ns);
    if (queue->second.empty()) {
      queues.erase(queue);
      return;
    }
    Waiting* next = queue->second.front();
    queue->second.pop_front();
    next->turn = Waiting::Turn::leads;
    next->changed.notify_one();
  }
};

PackGatherer::PackGatherer(schema::Database& database, NamespacePacks& packs)
    : database_(database), packs_(packs), state_(std::make_unique<State>()) {}
PackGatherer::~PackGatherer() = default;

void PackGatherer::store(NamespaceId ns, storage::RecordType type, const Digest& digest,
                         std::span<const std::byte> raw) {
  Waiting mine(type, digest, raw);
  if (state_->lead_or_wait(ns, mine)) {
    // The one place of a service that catches: others wait for what happens here, and must
    // hear of it whatever it is.
    const std::vector<Waiting*> records = state_->take(ns, mine);
    std::optional<Error> failure;
    try {
      write_one_pack(ns, records);
    } catch (const Error& error) {
      failure = error;
    } catch (const std::exception& bug) {
      failure = Error(ErrorCode::internal, std::string("store small blobs: ") + bug.what());
    }
    state_->release(ns, records, failure);
  }
  if (mine.failure) throw Error(*mine.failure);
}

void PackGatherer::write_one_pack(NamespaceId ns, std::span<Waiting* const> records) {
  ObjectPack pack(packs_.of(ns));
  storage::PackWriter writer(pack);
  std::vector<storage::StoredBlob> blobs;
  std::vector<Digest> manifests;
  for (const Waiting* record : records) {
    if (writer.contains(record->type, record->digest)) continue;
    writer.add(record->type, record->digest, record->raw);
    if (record->type == storage::RecordType::manifest) {
      manifests.push_back(record->digest);
    } else {
      blobs.push_back({record->digest, record->raw.size(), std::nullopt});
    }
  }
  const auto index = pack.commit(writer.finish());
  database_.transact("record a pack of small blobs", [&](schema::Transaction& tx) {
    insert_pack_rows(tx, ns, *index, blobs, manifests);
  });
}

}  // namespace mendel::registry
