#include "registry/services/known_chunks.h"

#include <algorithm>

#include "schema/content.h"
#include "storage/base/error.h"
#include "storage/sparse_index.h"

// A segment of 4 096 chunks is 256 MiB: four packs, if it was stored as one stream. Sixteen
// candidates leave room for a stream that has been changed a few times.

namespace mendel::registry {

namespace {

constexpr std::int32_t kCandidatesMax = 16;

// Of a short stretch every chunk is asked for, since packs of few chunks know each of
// theirs: a file that is changed a little and stored again and again lies in many such
// packs.
constexpr std::size_t kShortStretch = 256;
constexpr std::int32_t kSmallCandidatesMax = 96;
constexpr std::size_t kExpectedMax = 8;

// A pack may be purged between two questions.
std::shared_ptr<const storage::PackIndex> find_index(storage::PackCache& packs,
                                                     const Digest& pack_name) {
  try {
    return packs.index(pack_name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return nullptr;
  }
}

}  // namespace

NamespaceChunks::NamespaceChunks(schema::Database& database, NamespacePacks& packs,
                                 NamespaceId ns)
    : database_(database), packs_(packs.of(ns)), ns_(ns) {}

std::vector<std::optional<Digest>> NamespaceChunks::find(std::span<const Digest> digests) {
  return find(digests, {});
}

std::vector<std::optional<Digest>> NamespaceChunks::find(std::span<const Digest> digests,
                                                         std::span<const Digest> packs) {
  Found found(digests.size());
  std::vector<Digest> asked;
  const auto ask = [&](std::span<const Digest> which) {
    for (const Digest& pack : which) {
      if (std::ranges::find(asked, pack) != asked.end()) continue;
      look_into(pack, digests, found);
      asked.push_back(pack);
    }
  };
  ask(std::vector(expected_.begin(), expected_.end()));
  ask(packs);
  ask(candidates(digests, found));
  return found;
}

void NamespaceChunks::expect(const Digest& pack_name) {
  std::erase(expected_, pack_name);
  expected_.push_front(pack_name);
  if (expected_.size() > kExpectedMax) expected_.pop_back();
}

void NamespaceChunks::look_into(const Digest& pack_name, std::span<const Digest> digests,
                                Found& found) {
  const auto index = find_index(packs_, pack_name);
  if (!index) return;
  bool answered = false;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (found[i] || !index->find(storage::RecordType::chunk, digests[i])) continue;
    found[i] = pack_name;
    answered = true;
  }
  if (answered) expect(pack_name);
}

std::vector<Digest> NamespaceChunks::candidates(std::span<const Digest> digests,
                                                const Found& found) {
  const bool is_short = digests.size() <= kShortStretch;
  std::vector<std::int64_t> hooks;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (found[i]) continue;
    const std::optional<std::int64_t> hook =
        is_short ? storage::hook_value(digests[i]) : storage::hook_of(digests[i]);
    if (hook) hooks.push_back(*hook);
  }
  if (hooks.empty()) return {};
  const std::int32_t limit = is_short ? kSmallCandidatesMax : kCandidatesMax;
  return database_.read("find packs with like chunks", [&](schema::Transaction& tx) {
    return schema::find_packs_by_hooks(tx, ns_, hooks, limit);
  });
}

}  // namespace mendel::registry
