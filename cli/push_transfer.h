#pragma once

#include <cstdint>
#include <vector>

#include "cli/config.h"
#include "cli/push_base.h"
#include "cli/tree_scan.h"
#include "cli/upload_session.h"
#include "storage/manifest.h"

namespace mendel::cli {

enum class Delivery { send, dry_run };

struct SentManifest {
  Digest digest;
  std::uint64_t file_count = 0;
  std::uint64_t size_bytes = 0;  // of the files
  std::uint64_t new_bytes = 0;   // that the server did not have
  std::uint64_t sent_bytes = 0;  // in packs, compressed where that pays
};

// What a version is to consist of.
struct PushContent {
  storage::ArtifactKind kind;
  std::vector<ScannedFile> files;  // their digests are filled in while they are sent
  std::vector<storage::ManifestComponent> components;
};

// Sends what the server lacks of the files, and the manifest. Reads with one lane for every
// two processors: each lane is a thread that reads, hashes and cuts, and one that sends.
// May be repeated after any failure: what arrived is not sent again.
SentManifest send_content(const ServerAccess& access, const UploadSession& upload,
                          const PushBase& base, PushContent& content, Delivery delivery);

}  // namespace mendel::cli
