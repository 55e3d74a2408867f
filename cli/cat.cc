#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/blob_cache.h"
#include "cli/choose_one.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/range_fetch.h"
#include "cli/resolve.h"
#include "cli/verified_file.h"

namespace mendel::cli {

namespace {

struct CatArguments {
  std::string reference;
  std::string path;
  std::string platform;
};

class ToStandardOutput : public FileReceiver {
 public:
  void write(std::span<const std::byte> data) override {
    write_all(output_, "standard output", data);
  }
  void finish() override {}

 private:
  const Fd output_{::dup(STDOUT_FILENO)};
};

// What goes to standard output also goes into the cache.
class IntoCacheToo : public FileReceiver {
 public:
  IntoCacheToo(const storage::ManifestFile& file, BlobCache& cache, FileLock* turn)
      : digest_(*file.digest),
        cache_(cache),
        turn_(turn),
        incoming_(cache.begin(file.size_bytes)) {}

  void write(std::span<const std::byte> data) override {
    output_.write(data);
    cache_.write(incoming_, data);
    if (turn_) turn_->beat();
  }
  void finish() override { cache_.add(digest_, std::move(incoming_)); }

 private:
  const Digest digest_;
  BlobCache& cache_;
  FileLock* turn_;
  std::optional<PartialFile> incoming_;
  ToStandardOutput output_;
};

// It was verified as a whole, so that nothing is printed that has to be taken back.
void print_cached(const Fd& cached, const std::string& path) {
  ToStandardOutput output;
  std::vector<std::byte> buffer(1u << 20);
  for (std::uint64_t offset = 0;;) {
    throw_if_interrupted();
    const std::size_t count = read_at(cached, path, offset, buffer);
    output.write(std::span(buffer).first(count));
    offset += count;
    if (count < buffer.size()) return;
  }
}

void cat(const CatArguments& arguments, const GlobalOptions& global) {
  const Reference reference = Reference::parse(arguments.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  warn_if_yanked(version);
  BlobCache cache(cache_settings());
  const storage::Manifest manifest = get_tree(server, version, cache);
  const auto& file = choose_one(manifest, arguments.path, arguments.platform);

  const auto take = [&]() -> std::vector<Digest> {
    const auto cached = cache.open(*file.digest);
    if (!cached) return {*file.digest};
    print_cached(*cached, arguments.path);
    return {};
  };
  const auto fetch = [&](FileLock* turn) {
    Progress progress(arguments.path, file.size_bytes);
    VerifiedFile output(file, std::make_unique<IntoCacheToo>(file, cache, turn), progress);
    fetch_range(server, file_path(version.path(), "files", file), {0, file.size_bytes},
                output);
    output.finish();
  };
  fetch_once(cache, version.digest, take, fetch);
}

}  // namespace

void declare_cat(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
The bytes are checked against the digest while they pass: exit status 14 says, at the end, that
they are not what they should be. MENDEL_CACHE works as for 'mendel pull'.

Example:
  mendel cat lhcb/lamarr-trk@production params.json)");
  auto arguments = std::make_shared<CatArguments>();
  app.add_option("REF", arguments->reference, "a version")->required();
  app.add_option("FILE", arguments->path, "one of its files")->required();
  app.add_option("--platform", arguments->platform, "a platform, or auto")
      ->type_name("PLATFORM");
  app.callback([arguments, &global] { cat(*arguments, global); });
}

}  // namespace mendel::cli
