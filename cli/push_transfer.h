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

// Sends what the server lacks of these files, and the manifest that they make. Reads with
// one lane for every two processors: each lane is a thread that reads, hashes and cuts, and
// one that sends. May be repeated after any failure: what arrived is not sent again.
SentManifest send_files(const ServerAccess& access, const UploadSession& upload,
                        const PushBase& base, storage::ArtifactKind kind,
                        std::vector<ScannedFile>& files, Delivery delivery);

}  // namespace mendel::cli
