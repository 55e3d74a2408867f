#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/choose_one.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

struct UrlArguments {
  std::string reference;
  std::string path;
  std::string platform;
};

void url(const UrlArguments& arguments, const GlobalOptions& global) {
  const Reference reference = Reference::parse(arguments.reference);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  warn_if_yanked(version);
  const storage::Manifest manifest = get_manifest(server, version);
  const auto& file = choose_one(manifest, arguments.path, arguments.platform);

  const std::string url = server.access().url + file_path(version.path(), "files", file);
  if (global.json) {
    return print_json({{"url", url},
                       {"reference", version.reference()},
                       {"digest", file.digest->to_string()},
                       {"size_bytes", file.size_bytes}});
  }
  fmt::print("{}\n", url);
}

}  // namespace

void declare_url(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"help(
The URL has the version's number, so that it means the same bytes for ever.

Example:
  curl -fO -H "Authorization: Bearer $MENDEL_TOKEN" \
       "$(mendel url lhcb/lamarr-trk@production libtrk.so --platform auto)")help");
  auto arguments = std::make_shared<UrlArguments>();
  app.add_option("REF", arguments->reference, "a version")->required();
  app.add_option("FILE", arguments->path, "one of its files")->required();
  app.add_option("--platform", arguments->platform, "a platform, or auto")
      ->type_name("PLATFORM");
  app.callback([arguments, &global] { url(*arguments, global); });
}

}  // namespace mendel::cli
