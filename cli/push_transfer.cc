#include "cli/push_transfer.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

#include "cli/file_sender.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kLanesMax = 4;
constexpr std::uint64_t kBytesPerLaneMin = 256u << 20;

// One thread's way to the server.
class Lane {
 public:
  Lane(const ServerAccess& access, const UploadSession& upload, const PushBase& base,
       Delivery delivery, Progress& progress)
      : server_(access),
        finder_(upload.with(server_)),
        outlet_(make_outlet(access, upload, delivery)),
        sender_(server_, upload.with(server_), base, *outlet_, finder_, progress) {}

  FileSender& sender() { return sender_; }

 private:
  std::unique_ptr<PackOutlet> make_outlet(const ServerAccess& access,
                                          const UploadSession& upload, Delivery delivery) {
    if (delivery == Delivery::dry_run) return std::make_unique<PackDrain>();
    return std::make_unique<PackStream>(access, upload.packs_path(), finder_.told());
  }

  ApiClient server_;
  ChunkFinder finder_;
  std::unique_ptr<PackOutlet> outlet_;
  FileSender sender_;
};

// Hands out the files to whichever lane is free, and stops all when one fails.
class Dispatch {
 public:
  explicit Dispatch(std::vector<ScannedFile>& files) : files_(files) {}

  void serve(FileSender& sender) {
    try {
      while (ScannedFile* file = next()) sender.send(*file);
    } catch (const std::exception&) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_ = files_.size();
    }
  }

  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  ScannedFile* next() {
    const std::lock_guard lock(mutex_);
    while (next_ < files_.size() && files_[next_].source.empty()) ++next_;
    return next_ < files_.size() ? &files_[next_++] : nullptr;
  }

  std::vector<ScannedFile>& files_;
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::exception_ptr failure_;
};

std::size_t lane_count(std::uint64_t size_bytes) {
  const std::size_t by_processors = std::thread::hardware_concurrency() / 2;
  const std::size_t by_size = std::size_t(size_bytes / kBytesPerLaneMin);
  return std::clamp<std::size_t>(std::min(by_processors, by_size), 1, kLanesMax);
}

void send_in_lanes(std::vector<ScannedFile>& files,
                   std::vector<std::unique_ptr<Lane>>& lanes) {
  Dispatch dispatch(files);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < lanes.size(); ++i) {
      threads.emplace_back([&, i] { dispatch.serve(lanes[i]->sender()); });
    }
    dispatch.serve(lanes.front()->sender());
  }
  dispatch.rethrow_failure();
  for (std::size_t i = 1; i < lanes.size(); ++i) lanes[i]->sender().finish();
}

storage::Manifest manifest_of(const PushContent& content) {
  storage::Manifest manifest{content.kind, {}, content.components};
  for (const ScannedFile& file : content.files) manifest.files.push_back(file.entry);
  storage::normalise(manifest);
  return manifest;
}

std::uint64_t size_of(const std::vector<ScannedFile>& files) {
  std::uint64_t sum = 0;
  for (const ScannedFile& file : files) sum += file.entry.size_bytes;
  return sum;
}

// Without those that stay where they are.
std::uint64_t size_to_read(const std::vector<ScannedFile>& files) {
  std::uint64_t sum = 0;
  for (const ScannedFile& file : files) {
    if (!file.source.empty()) sum += file.entry.size_bytes;
  }
  return sum;
}

}  // namespace

SentManifest send_content(const ServerAccess& access, const UploadSession& upload,
                          const PushBase& base, PushContent& content, Delivery delivery) {
  const std::uint64_t size_bytes = size_to_read(content.files);
  Progress progress("pushing", size_bytes);
  std::vector<std::unique_ptr<Lane>> lanes(lane_count(size_bytes));
  for (auto& lane : lanes) {
    lane = std::make_unique<Lane>(access, upload, base, delivery, progress);
  }
  send_in_lanes(content.files, lanes);

  const std::string bytes = encode_manifest(manifest_of(content));
  SentManifest sent{Digest::of(bytes), content.files.size(), size_of(content.files), 0, 0};
  FileSender& last = lanes.front()->sender();
  if (!base.version() || base.version()->digest != sent.digest) {
    last.add_manifest(sent.digest, bytes);
  }
  last.finish();
  for (const auto& lane : lanes) {
    sent.new_bytes += lane->sender().new_bytes();
    sent.sent_bytes += lane->sender().sent_bytes();
  }
  return sent;
}

}  // namespace mendel::cli
