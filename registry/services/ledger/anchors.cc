// An anchor is an object; its name has all that it is checked by, and its content the same
// for people, in canonical JSON:
//   {"entries":12,"hash":"sha256:…","recorded_at":"…","sequence":3}

#include "registry/services/ledger/anchors.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "registry/services/pause.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::registry {

namespace {

constexpr auto kPeriod = std::chrono::minutes(1);

std::string document_of(const ChainHead& head) {
  return storage::canonical_json({{"sequence", head.sequence},
                                  {"entries", head.entry_count},
                                  {"recorded_at", format_rfc3339(head.recorded_at)},
                                  {"hash", head.hash.to_string()}});
}

}  // namespace

void Anchors::start() {
  is_started_ = true;
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void Anchors::stop() {
  if (!is_started_) return;
  thread_ = std::jthread();
  is_started_ = false;
  try_to_anchor();
}

void Anchors::run(std::stop_token stop) {
  for (;;) {
    pause_unless_stopped(stop, kPeriod);
    if (stop.stop_requested()) return;
    try_to_anchor();
  }
}

// What fails is tried again in the next round; a failure that stays is told once.
void Anchors::try_to_anchor() {
  try {
    anchor_head();
    if (away_) spdlog::info("the ledger's chain is anchored again");
    away_ = false;
  } catch (const Error& error) {
    if (!away_) spdlog::warn("the ledger's chain is not anchored: {}", error.what());
    away_ = true;
  }
}

void Anchors::anchor_head() { anchor(chainer_.head()); }

void Anchors::anchor(const ChainHead& head) {
  if (head.sequence == 0) return;
  const std::string key = storage::anchor_key({head.sequence, head.hash});
  if (objects_.find(key)) return;
  const auto object = objects_.create();
  object->append(as_bytes(document_of(head)));
  object->commit(key);
}

std::vector<storage::AnchorName> Anchors::list(std::string after, std::size_t limit) {
  std::vector<storage::AnchorName> anchors;
  for (bool is_more = true; is_more && anchors.size() < limit;) {
    const auto objects = objects_.list(storage::kAnchorPrefix, after, limit);
    is_more = objects.size() == limit;
    for (const auto& object : objects) {
      after = object.key;
      const auto anchor = storage::anchor_of(object.key);
      if (anchor) anchors.push_back(*anchor);
      if (anchors.size() == limit) break;
    }
  }
  return anchors;
}

}  // namespace mendel::registry
