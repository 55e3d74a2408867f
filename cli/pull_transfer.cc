#include "cli/pull_transfer.h"

#include <mutex>

namespace mendel::cli {

namespace {

// Puts files into their places and remembers what it put there.
class IntoDirectory : public FileDestination {
 public:
  IntoDirectory(const TargetDirectory& target, const storage::Manifest& manifest,
                const std::vector<ChosenFile>& files, BlobCache& cache)
      : target_(target), manifest_(manifest), cache_(cache) {
    for (const ChosenFile& file : files) paths_.emplace(file.position, file.path);
  }

  std::unique_ptr<FileReceiver> begin(std::size_t position) override {
    return std::make_unique<Receiver>(*this, position);
  }

  std::optional<Fd> open_older(std::size_t position) override {
    const std::string& path = paths_.at(position);
    const auto existing = target_.find(path);
    if (!existing || existing->type != LocalEntry::Type::file) return std::nullopt;
    return target_.open_file(path);
  }

  // Whether the cache had the file.
  bool place_cached(std::size_t position) {
    const storage::ManifestFile& file = manifest_.files[position];
    auto taken = cache_.take(*file.digest, target_.new_partial_path(), file.executable);
    if (taken) place(position, std::move(*taken));
    return taken.has_value();
  }

  // Who is told that work goes on.
  void set_turn(FileLock* turn) { turn_ = turn; }

  std::map<std::string, PulledEntry> take_placed() { return std::move(placed_); }

 private:
  class Receiver : public FileReceiver {
   public:
    Receiver(IntoDirectory& into, std::size_t position)
        : into_(into),
          position_(position),
          file_(into.target_.create_file(into.manifest_.files[position].executable)) {}

    void write(std::span<const std::byte> data) override {
      file_.write(data);
      if (into_.turn_) into_.turn_->beat();
    }

    void finish() override {
      const storage::ManifestFile& file = into_.manifest_.files[position_];
      into_.cache_.add(*file.digest, file_, file.executable);
      into_.place(position_, std::move(file_));
    }

   private:
    IntoDirectory& into_;
    const std::size_t position_;
    PartialFile file_;
  };

  void place(std::size_t position, PartialFile file) {
    const std::string& path = paths_.at(position);
    PulledEntry entry = entry_of(manifest_.files[position]);
    entry.stamp = target_.place_file(std::move(file), path);
    const std::lock_guard lock(mutex_);
    placed_.emplace(path, std::move(entry));
  }

  const TargetDirectory& target_;
  const storage::Manifest& manifest_;
  BlobCache& cache_;
  FileLock* turn_ = nullptr;
  std::map<std::size_t, std::string> paths_;
  std::mutex mutex_;
  std::map<std::string, PulledEntry> placed_;
};

}  // namespace

Transferred transfer_files(const ServerAccess& access, const ResolvedVersion& version,
                           const storage::Manifest& manifest,
                           const std::vector<ChosenFile>& files,
                           const TargetDirectory& target, BlobCache& cache) {
  Progress progress("pulling", size_of(manifest, files));
  IntoDirectory into(target, manifest, files, cache);
  Transferred transferred;
  std::vector<std::size_t> missing;
  for (const ChosenFile& file : files) missing.push_back(file.position);

  const auto take = [&] {
    std::vector<Digest> digests;
    std::erase_if(missing, [&](std::size_t position) {
      const storage::ManifestFile& file = manifest.files[position];
      if (!into.place_cached(position)) {
        digests.push_back(*file.digest);
        return false;
      }
      transferred.cached_bytes += file.size_bytes;
      progress.add(file.size_bytes);
      return true;
    });
    return digests;
  };
  const auto fetch = [&](FileLock* turn) {
    into.set_turn(turn);
    transferred.fetched = fetch_files(access, version, manifest, missing, into, progress);
  };
  fetch_once(cache, version.digest, take, fetch);
  transferred.placed = into.take_placed();
  return transferred;
}

std::uint64_t size_of(const storage::Manifest& manifest,
                      const std::vector<ChosenFile>& files) {
  std::uint64_t sum = 0;
  for (const ChosenFile& chosen : files) {
    const storage::ManifestFile& file = manifest.files[chosen.position];
    if (file.digest) sum += file.size_bytes;
  }
  return sum;
}

}  // namespace mendel::cli
