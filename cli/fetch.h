#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cli/local_file.h"
#include "cli/progress.h"
#include "cli/resolve.h"
#include "storage/base/io.h"
#include "storage/manifest.h"

namespace mendel::cli {

// Takes the bytes of one file, from the first to the last.
class FileReceiver : public Sink {
 public:
  // All bytes were written, and they are what the manifest says. A receiver that is dropped
  // without this leaves nothing.
  virtual void finish() = 0;
};

// Where fetched files go. Files are named by their position in the manifest. Several
// threads fetch at the same time.
class FileDestination {
 public:
  virtual ~FileDestination() = default;
  virtual std::unique_ptr<FileReceiver> begin(std::size_t position) = 0;

  // An older file that is there already and is probably much like the new one.
  virtual std::optional<Fd> open_older(std::size_t) { return std::nullopt; }
};

struct FetchedBytes {
  std::uint64_t content = 0;  // of the files, without what an older file had
  std::uint64_t wire = 0;  // all that the server sent for it, headers and recipes included
};

// Fetches stored files of a version and verifies each against size and digest: many small
// ones in one answer, large ones by themselves, and of those that have an older file only
// the ranges that differ. Broken connections are taken up where they broke.
// Throws data_loss for bytes that are not what the manifest says.
FetchedBytes fetch_files(const ServerAccess& access, const ResolvedVersion& version,
                         const storage::Manifest& manifest,
                         const std::vector<std::size_t>& positions,
                         FileDestination& destination, Progress& progress);

}  // namespace mendel::cli
