#pragma once

#include <memory>
#include <optional>

#include "cli/background_sha256.h"
#include "cli/fetch.h"
#include "cli/progress.h"
#include "storage/base/sha256.h"

namespace mendel::cli {

// One file on its way from the server: counts and hashes what passes through to the
// receiver, and lets that finish only if all of it is right. For one thread.
class VerifiedFile : public Sink {
 public:
  VerifiedFile(const storage::ManifestFile& file, std::unique_ptr<FileReceiver> receiver,
               Progress& progress);

  std::uint64_t received_bytes() const { return received_bytes_; }
  std::uint64_t missing_bytes() const { return file_.size_bytes - received_bytes_; }

  // Throws data_loss if it is more than the file has.
  void write(std::span<const std::byte> data) override;

  // Throws data_loss if it is not the file.
  void finish();

 private:
  const storage::ManifestFile& file_;
  std::unique_ptr<FileReceiver> receiver_;
  Progress& progress_;
  Sha256 sha256_;
  std::optional<BackgroundSha256> background_;  // instead, if the file is large
  std::uint64_t received_bytes_ = 0;
};

}  // namespace mendel::cli
