#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/namespace_packs.h"
#include "registry/services/purge_work.h"
#include "registry/services/uploads.h"
#include "schema/database.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// Takes blobs away that must not exist, from the whole server, and sees to it that they do
// not come back. Callers were found to administer the server. Any thread.
class PurgeService {
 public:
  // blobs and uploads are told to forget when a purge, here or on another server, says so.
  PurgeService(schema::Database& database, ChangeFeed& changes, NamespacePacks& packs,
               BlobService& blobs, UploadService& uploads);

  struct Blob {
    Digest digest;
    std::uint64_t size_bytes = 0;
    std::vector<std::string> namespaces;  // that have it, or had it
  };

  // A version that loses files: its own, or as a model set those of a component.
  struct User {
    std::string reference;
    std::string state;
    std::vector<std::string> aliases;
    std::vector<std::string> paths;  // at most kPathsMax
    std::uint64_t path_count = 0;
  };
  static constexpr std::size_t kPathsMax = 100;

  struct Plan {
    std::vector<Blob> blobs;
    std::vector<User> users;
  };

  // What would go. Throws not_found for a blob that nobody has or had, unprocessable for
  // one that is a manifest: a version keeps that.
  Plan plan(std::span<const Digest> digests);

  // From when this returns nobody gets the blobs, and nobody can store them. subject: what
  // was asked for, for the audit log. Doing it again reads every pack again.
  void bury(const Caller& caller, const Plan& plan, const std::string& subject,
            const std::string& reason);

  // Removes the bytes of all that is buried, and takes as long as reading the index and the
  // recipes of every pack does. Where it was broken off, it goes on.
  struct Outcome {
    bool is_complete = false;  // no pack has any of the bytes
    bool is_alone = false;     // false: another server was at it, and nothing was done
    PurgedBytes bytes;
  };
  Outcome remove_bytes();

  // Ends what is at work, and all that would be, with unavailable.
  void stop() { stop_.request_stop(); }

 private:
  std::vector<User> users_of(std::span<const Digest> digests);

  schema::Database& database_;
  ChangeFeed& changes_;
  NamespacePacks& packs_;
  BlobService& blobs_;
  std::mutex at_work_;
  std::stop_source stop_;
};

}  // namespace mendel::registry
