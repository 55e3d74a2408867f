#include "registry/services/purge.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "registry/services/audit.h"
#include "registry/services/tombstones.h"
#include "schema/changes.h"
#include "schema/content.h"
#include "schema/purge.h"
#include "storage/base/error.h"
#include "storage/manifest.h"

namespace mendel::registry {

namespace {

using Digests = std::unordered_set<Digest>;

// The files of a manifest that are among the blobs.
struct Loss {
  std::vector<std::string> paths;
  std::uint64_t count = 0;
};
Loss loss_of(const storage::Manifest& manifest, const Digests& blobs) {
  Loss loss;
  for (const auto& file : manifest.files) {
    if (!file.digest || !blobs.contains(*file.digest)) continue;
    ++loss.count;
    if (loss.paths.size() < PurgeService::kPathsMax) loss.paths.push_back(file.path);
  }
  return loss;
}

using Users = std::map<std::pair<std::string, std::int32_t>, PurgeService::User>;

void add_user(Users& users, const schema::ManifestUserRow& row, const Loss& loss) {
  auto& user = users[{row.artifact, row.number}];
  user.reference = fmt::format("{}:{}", row.artifact, row.number);
  user.state = row.state;
  user.aliases = row.aliases;
  user.path_count += loss.count;
  for (const std::string& path : loss.paths) {
    if (user.paths.size() == PurgeService::kPathsMax) return;
    user.paths.push_back(row.prefix + path);
  }
}

}  // namespace

PurgeService::PurgeService(schema::Database& database, ChangeFeed& changes,
                           NamespacePacks& packs, BlobService& blobs,
                           UploadService& uploads)
    : database_(database), changes_(changes), packs_(packs), blobs_(blobs) {
  changes.listen([&blobs, &uploads](std::string_view topic) {
    if (!topic.empty() && topic != kPurgeTopic) return;
    blobs.forget();
    uploads.forget();
  });
}

PurgeService::Plan PurgeService::plan(std::span<const Digest> digests) {
  const auto [holders, manifests] =
      database_.read("find out who has blobs", [&](schema::Transaction& tx) {
        return std::pair(schema::list_blob_holders(tx, digests),
                         schema::find_manifests_among(tx, digests));
      });
  if (!manifests.empty()) {
    throw Error(ErrorCode::unprocessable,
                manifests.front().to_string() +
                    " is a manifest, which versions keep: purge the files that it lists");
  }
  std::map<Digest, Blob> blobs;
  for (const auto& holder : holders) {
    Blob& blob = blobs[holder.digest];
    blob.digest = holder.digest;
    blob.size_bytes = static_cast<std::uint64_t>(holder.size_bytes);
    blob.namespaces.push_back(holder.namespace_name);
  }
  Plan plan;
  for (const Digest& digest : digests) {
    const auto found = blobs.find(digest);
    if (found == blobs.end()) {
      throw Error(ErrorCode::not_found, "no namespace has a blob " + digest.to_string());
    }
    plan.blobs.push_back(found->second);
  }
  plan.users = users_of(digests);
  return plan;
}

// There is no row per file of a version: the manifests are read, one after the other.
std::vector<PurgeService::User> PurgeService::users_of(std::span<const Digest> digests) {
  const Digests blobs(digests.begin(), digests.end());
  const auto holders = database_.read(
      "find out who has blobs",
      [&](schema::Transaction& tx) { return schema::list_blob_holders(tx, digests); });
  std::set<NamespaceId> namespaces;
  for (const auto& holder : holders) namespaces.insert(holder.namespace_id);

  Users users;
  for (const NamespaceId ns : namespaces) {
    const auto manifests = database_.read("list manifests", [&](schema::Transaction& tx) {
      return schema::list_version_manifests(tx, ns);
    });
    for (const Digest& digest : manifests) {
      const auto bytes = blobs_.find_manifest(ns, digest);
      if (!bytes) continue;
      const Loss loss = loss_of(storage::decode_manifest(*bytes), blobs);
      if (loss.count == 0) continue;
      for (const auto& row :
           database_.read("list versions with a manifest", [&](schema::Transaction& tx) {
             return schema::list_manifest_users(tx, ns, digest);
           })) {
        add_user(users, row, loss);
      }
    }
  }
  std::vector<User> list;
  for (auto& [key, user] : users) list.push_back(std::move(user));
  return list;
}

void PurgeService::bury(const Caller& caller, const Plan& plan, const std::string& subject,
                        const std::string& reason) {
  std::vector<Digest> digests;
  for (const Blob& blob : plan.blobs) digests.push_back(blob.digest);
  database_.transact("purge blobs", [&](schema::Transaction& tx) {
    schema::hold_off_writers(tx);
    std::map<NamespaceId, std::vector<std::string>> by_namespace;
    for (const auto& holder : schema::list_blob_holders(tx, digests)) {
      by_namespace[holder.namespace_id].push_back(holder.digest.to_string());
    }
    schema::insert_tombstones(tx, digests, caller.name, reason);
    for (const auto& [ns, lost] : by_namespace) {
      note(tx, caller,
           {.action = "blob.purge",
            .subject = subject,
            .ns = ns,
            .reason = reason,
            .detail = {{"blobs", std::to_string(lost.size())}, {"first", lost.front()}}});
    }
    schema::record_change(tx, kPurgeTopic);
  });
  changes_.announce(kPurgeTopic);
}

// One transaction stays open for as long as it takes: while it holds its lock, no other
// purger of any server is at work. Should its connection break, so does the work.
PurgeService::Outcome PurgeService::remove_bytes() {
  Outcome outcome;
  const std::lock_guard mine(at_work_);
  database_.transact("purge", [&](schema::Transaction& lock) {
    outcome.is_alone = schema::try_to_be_the_purger(lock);
    if (!outcome.is_alone) return;
    PurgeWork work(database_, packs_, [&] {
      schema::keep_open(lock);
      if (stop_.stop_requested()) throw Error(ErrorCode::unavailable, "the server stops");
    });
    outcome.is_complete = work.run();
    outcome.bytes = work.take_report();
  });
  return outcome;
}

}  // namespace mendel::registry
