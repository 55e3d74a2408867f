#include "cli/verified_file.h"

#include "cli/interrupt.h"

namespace mendel::cli {

namespace {

// From here on a thread is worth its start.
constexpr std::uint64_t kLargeSizeMin = 8u << 20;

}  // namespace

VerifiedFile::VerifiedFile(const storage::ManifestFile& file,
                           std::unique_ptr<FileReceiver> receiver, Progress& progress)
    : file_(file), receiver_(std::move(receiver)), progress_(progress) {
  if (file.size_bytes >= kLargeSizeMin) background_.emplace();
}

void VerifiedFile::write(std::span<const std::byte> data) {
  throw_if_interrupted();
  if (data.size() > missing_bytes()) {
    throw Error(ErrorCode::data_loss,
                file_.path + ": the server sent more than the file has");
  }
  receiver_->write(data);
  background_ ? background_->update(data) : sha256_.update(data);
  received_bytes_ += data.size();
  progress_.add(data.size());
}

void VerifiedFile::finish() {
  if (missing_bytes() != 0) {
    throw Error(ErrorCode::data_loss,
                file_.path + ": the server sent less than the file has");
  }
  const Digest digest = background_ ? background_->finish() : sha256_.finish();
  if (digest != *file_.digest) {
    throw Error(ErrorCode::data_loss, file_.path + ": the bytes have the digest " +
                                          digest.to_string() + " and should have " +
                                          file_.digest->to_string());
  }
  receiver_->finish();
}

}  // namespace mendel::cli
