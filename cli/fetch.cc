#include "cli/fetch.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "cli/api_path.h"
#include "cli/bundle_fetch.h"
#include "cli/patch_fetch.h"
#include "cli/range_fetch.h"
#include "cli/verified_file.h"

namespace mendel::cli {

namespace {

// Files up to this size come in bundles, and bundles end at these limits.
constexpr std::uint64_t kBundledSizeMax = 4u << 20;
constexpr std::uint64_t kBundleSizeTarget = 64u << 20;
constexpr std::size_t kBundleFilesMax = 4096;

// Below this, asking for a recipe costs more than it saves.
constexpr std::uint64_t kPatchedSizeMin = 512u << 10;

constexpr std::size_t kLanesMax = 2;

// What one thread fetches at a time: one large file, or many small ones.
using Job = std::vector<std::size_t>;

class Fetch {
 public:
  Fetch(const ServerAccess& access, const ResolvedVersion& version,
        const storage::Manifest& manifest, FileDestination& destination, Progress& progress)
      : access_(access),
        version_path_(version.path()),
        manifest_(manifest),
        destination_(destination),
        progress_(progress) {}

  FetchedBytes run(const std::vector<std::size_t>& positions) {
    plan(positions);
    {
      std::vector<std::jthread> lanes;
      for (std::size_t i = 1; i < std::min(kLanesMax, jobs_.size()); ++i) {
        lanes.emplace_back([this] { serve(); });
      }
      serve();
    }
    if (failure_) std::rethrow_exception(failure_);
    return {content_bytes_, wire_bytes_};
  }

 private:
  void plan(const std::vector<std::size_t>& positions) {
    Job bundle;
    std::uint64_t bundle_bytes = 0;
    for (const std::size_t position : positions) {
      const std::uint64_t size = manifest_.files[position].size_bytes;
      if (size > kBundledSizeMax || is_patched(position)) {
        jobs_.push_back({position});
        continue;
      }
      bundle.push_back(position);
      bundle_bytes += size;
      if (bundle_bytes >= kBundleSizeTarget || bundle.size() == kBundleFilesMax) {
        jobs_.push_back(std::exchange(bundle, {}));
        bundle_bytes = 0;
      }
    }
    if (!bundle.empty()) jobs_.push_back(std::move(bundle));
  }

  bool is_patched(std::size_t position) {
    return manifest_.files[position].size_bytes >= kPatchedSizeMin &&
           destination_.open_older(position).has_value();
  }

  void serve() {
    try {
      ApiClient server(access_);
      while (const Job* job = next_job()) do_job(server, *job);
      wire_bytes_ += server.received_bytes();
    } catch (const std::exception&) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  const Job* next_job() {
    const std::lock_guard lock(mutex_);
    return failure_ || next_ == jobs_.size() ? nullptr : &jobs_[next_++];
  }

  void do_job(ApiClient& server, const Job& job) {
    if (job.size() == 1 && manifest_.files[job.front()].size_bytes >= kPatchedSizeMin) {
      fetch_large_file(server, job.front());
    } else {
      fetch_bundle(server, version_path_, manifest_, job, destination_, progress_);
      for (const std::size_t position : job) {
        content_bytes_ += manifest_.files[position].size_bytes;
      }
    }
  }

  void fetch_large_file(ApiClient& server, std::size_t position) {
    const storage::ManifestFile& wanted = manifest_.files[position];
    VerifiedFile file(wanted, destination_.begin(position), progress_);
    std::optional<std::uint64_t> copied_bytes;
    if (const auto older = destination_.open_older(position)) {
      copied_bytes = fetch_patch(server, version_path_, wanted, *older, file);
    }
    if (!copied_bytes) {
      const std::string path = file_path(version_path_, "files", wanted);
      fetch_range(server, path, {0, wanted.size_bytes}, file);
    }
    file.finish();
    content_bytes_ += wanted.size_bytes - copied_bytes.value_or(0);
  }

  const ServerAccess& access_;
  const std::string version_path_;
  const storage::Manifest& manifest_;
  FileDestination& destination_;
  Progress& progress_;
  std::atomic<std::uint64_t> content_bytes_ = 0;
  std::atomic<std::uint64_t> wire_bytes_ = 0;
  std::vector<Job> jobs_;
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

FetchedBytes fetch_files(const ServerAccess& access, const ResolvedVersion& version,
                         const storage::Manifest& manifest,
                         const std::vector<std::size_t>& positions,
                         FileDestination& destination, Progress& progress) {
  return Fetch(access, version, manifest, destination, progress).run(positions);
}

}  // namespace mendel::cli
