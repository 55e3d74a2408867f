#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/choose_one.h"
#include "cli/command.h"
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

void cat(const CatArguments& arguments, const GlobalOptions& global) {
  const Reference reference = Reference::parse(arguments.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  warn_if_yanked(version);
  const storage::Manifest manifest = get_manifest(server, version);
  const auto& file = choose_one(manifest, arguments.path, arguments.platform);

  Progress progress(arguments.path, file.size_bytes);
  VerifiedFile output(file, std::make_unique<ToStandardOutput>(), progress);
  fetch_range(server, file_path(version.path(), "files", file), {0, file.size_bytes},
              output);
  output.finish();
}

}  // namespace

void declare_cat(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
The bytes are checked against the digest while they pass: exit status 14 says, at the end, that
they are not what they should be.

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
