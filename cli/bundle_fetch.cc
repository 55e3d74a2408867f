#include "cli/bundle_fetch.h"

#include <algorithm>
#include <optional>

#include "cli/range_fetch.h"
#include "cli/verified_file.h"

namespace mendel::cli {

namespace {

// Cuts the answer into the files that were asked for.
class BundleSplitter : public Sink {
 public:
  BundleSplitter(const storage::Manifest& manifest, std::span<const std::size_t> positions,
                 FileDestination& destination, Progress& progress)
      : manifest_(manifest),
        positions_(positions),
        destination_(destination),
        progress_(progress) {}

  std::span<const std::size_t> left() const { return positions_.subspan(done_); }

  // The next answer begins with the first file that is left.
  void begin_answer() {
    open_.reset();
    finish_empty_files();
  }

  void write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      if (left().empty()) {
        throw Error(ErrorCode::data_loss, "the server sent more than it was asked for");
      }
      if (!open_) open_next();
      const auto piece =
          data.first(std::min<std::uint64_t>(data.size(), open_->missing_bytes()));
      open_->write(piece);
      data = data.subspan(piece.size());
      if (open_->missing_bytes() == 0) finish_file();
      finish_empty_files();
    }
  }

 private:
  const storage::ManifestFile& next_file() const { return manifest_.files[left().front()]; }

  void open_next() {
    open_.emplace(next_file(), destination_.begin(left().front()), progress_);
  }

  void finish_file() {
    open_->finish();
    open_.reset();
    ++done_;
  }

  void finish_empty_files() {
    while (!open_ && !left().empty() && next_file().size_bytes == 0) {
      open_next();
      finish_file();
    }
  }

  const storage::Manifest& manifest_;
  const std::span<const std::size_t> positions_;
  FileDestination& destination_;
  Progress& progress_;
  std::size_t done_ = 0;
  std::optional<VerifiedFile> open_;
};

}  // namespace

void fetch_bundle(ApiClient& server, const std::string& version_path,
                  const storage::Manifest& manifest, std::span<const std::size_t> positions,
                  FileDestination& destination, Progress& progress) {
  BundleSplitter splitter(manifest, positions, destination, progress);
  const auto attempt = [&] {
    splitter.begin_answer();
    if (splitter.left().empty()) return;
    HttpRequest request;
    request.method = "POST";
    request.url = version_path + "/bundle";
    request.headers.push_back("Content-Type: application/json");
    request.body = Json{{"files", splitter.left()}}.dump();
    server.stream(std::move(request), splitter);
    if (!splitter.left().empty())
      throw Error(ErrorCode::unavailable, "the answer was cut short");
  };
  with_retries(attempt, [&] { return std::uint64_t{splitter.left().size()}; });
}

}  // namespace mendel::cli
