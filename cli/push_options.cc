#include "cli/push_options.h"

#include <CLI/CLI.hpp>

#include "cli/dataset_list.h"
#include "cli/journal_option.h"
#include "cli/key_value.h"
#include "cli/repeated_option.h"
#include "storage/base/reference.h"

namespace mendel::cli {

namespace {

constexpr const char* kHelp = R"(
A directory is pushed as its files, with paths relative to it; a file under its base name.
Kept are contents, executable bits, links that are relative and stay inside, and empty
directories. Sockets, pipes and devices, links that lead outside and names that are not UTF-8
are refused, by name, before anything is sent. Directories named .mendel are left out.

Only what the server does not have is sent, in pieces of about 64 KiB. A push that was
interrupted is simply repeated: what arrived is not sent again. Pushing what the newest version
already is makes no new one, and says so.

The reference and the digest of the version are printed. --dry-run reads and checks all that a
push would, and asks the server what it has.

A version may be made of others (--component NAME=REF): each is frozen to its number and digest,
and its files are read below NAME/.

--run says which run made it (MENDEL_RUN otherwise): hyperparameters, inputs and commit are then
those of the run, unless they are given here: the git repository around is read only if --git, or
one of its other options, asks for it. --checkpoint publishes what the run kept, without
sending it again: 'best:METRIC:min', 'best:METRIC:max', 'last' or 'step:N'.

--from-list registers data that stays where it is. FILE (- is standard input) is CSV with a header,
or has one JSON object a line; of each file it says path, size, checksum (adler32:HEX, crc32c:HEX,
md5:HEX or sha256:HEX) and locations, which are URIs with blanks between them, or a JSON list:

  path,size,checksum,locations
  00012.root,2097152,adler32:1a2b3c4d,root://eos.example.org//eos/lhcb/00012.root
)";

constexpr const char* kExamples = R"(

Examples:
  mendel push model lhcb/lamarr-trk out/ -m "retrained on calib-2016:3" --metric chi2_ndf=2.4 \
         --params params.yml --data lhcb/calib-2016:3 --parent lhcb/lamarr-trk@production
  mendel push model lhcb/lamarr-trk --platform x86_64_v2-el9-gcc13-opt=build/opt/libtrk.so \
         --platform x86_64_v2-el9-gcc13-dbg=build/dbg/libtrk.so --alias staging
  mendel push model lhcb/lamarr --component tracking=lhcb/lamarr-trk@production \
         --component pid=lhcb/lamarr-pid:9
  mendel push model lhcb/wgan --run "$MENDEL_RUN" --checkpoint best:chi2_ndf:min
  mendel push dataset lhcb/calib-2016 /data/calib --dry-run
  mendel push dataset lhcb/calib-2016 --from-list files.csv)";

void declare_repeated(CLI::App& app, const char* name, std::vector<std::string>& values,
                      const char* type_name, const char* help) {
  add_repeated(app, name, values, help)->type_name(type_name);
}

void declare_content(CLI::App& app, PushOptions& options) {
  app.add_option("KIND", options.kind, "model, dataset or environment")
      ->required()
      ->check(CLI::IsMember({"model", "dataset", "environment"}));
  app.add_option("NAME", options.name, "an artifact: namespace/name")->required();
  app.add_option("PATH", options.paths, "files and directories, for all platforms");
  declare_repeated(app, "--platform", options.platform_paths, "PLATFORM=PATH",
                   "a file or directory for one platform; may be repeated");
  declare_repeated(app, "--component", options.components, "NAME=REF",
                   "a version that is part of this one; may be repeated");
  app.add_option("--from-list", options.list, "files that stay where they are")
      ->type_name("FILE");
}

void declare_run(CLI::App& app, PushOptions& options) {
  app.add_option("--run", options.run, "the run that made it, instead of MENDEL_RUN")
      ->envname("MENDEL_RUN")
      ->type_name("ID");
  app.add_option("--checkpoint", options.checkpoint, "the checkpoint of the run to publish")
      ->type_name("WHICH");
}

void declare_description(CLI::App& app, PushOptions& options) {
  app.add_option("-m,--message", options.message, "what is new about it")
      ->type_name("TEXT");
  declare_repeated(app, "--alias", options.aliases, "ALIAS",
                   "point this alias at it; may be repeated");
  declare_repeated(app, "--label", options.labels, "KEY=VALUE", "may be repeated");
  declare_repeated(app, "--metric", options.metrics, "NAME=VALUE",
                   "a number that was measured; may be repeated");
  app.add_flag("--dry-run", options.dry_run, "say what would be sent, and make nothing");
  app.add_option("--idempotency-key", options.idempotency_key,
                 "repeated with the same key, a push makes one version at the most")
      ->type_name("KEY");
  declare_journal_option(app, options.journal);
}

std::vector<PushPath> paths_of(const PushOptions& options) {
  std::vector<PushPath> paths;
  for (const std::string& path : options.paths) paths.push_back({path, ""});
  for (const std::string& text : options.platform_paths) {
    const KeyValue pair = parse_key_value("--platform", text);
    paths.push_back({pair.value, pair.key});
  }
  return paths;
}

[[noreturn]] void refuse(const char* rule) {
  throw Error(ErrorCode::invalid_argument, rule);
}

void require_content(const PushOptions& options) {
  const bool has_files = !options.paths.empty() || !options.platform_paths.empty() ||
                         !options.list.empty() || !options.components.empty();
  if (!options.checkpoint.empty()) {
    if (has_files) refuse("a checkpoint has its files: name no others");
    if (options.run.empty()) refuse("--checkpoint needs --run");
    return;
  }
  if (options.list == "-" && options.pedigree.params == "-") {
    refuse("--params and --from-list cannot both be standard input");
  }
  if (!has_files) refuse("nothing to push: name a file or a directory");
}

}  // namespace

void declare_push_options(CLI::App& app, PushOptions& options) {
  app.footer(std::string(kHelp) + kPedigreeHelp + kExamples);
  declare_content(app, options);
  declare_description(app, options);
  declare_run(app, options);
  declare_pedigree_options(app, options.pedigree);
}

Json description_of(const PushOptions& options) {
  Json body = Json::object();
  if (!options.message.empty()) body["message"] = options.message;
  for (const std::string& text : options.labels) {
    const KeyValue label = parse_key_value("--label", text);
    body["labels"][label.key] = label.value;
  }
  for (const std::string& text : options.metrics) {
    const KeyValue metric = parse_key_value("--metric", text);
    body["metrics"][metric.key] = metric_value(metric);
  }
  for (const std::string& alias : options.aliases) {
    body["aliases"].push_back(AliasName::parse(alias).text());
  }
  if (!options.run.empty()) body["run"] = options.run;
  if (!options.checkpoint.empty()) body["checkpoint"] = options.checkpoint;
  return body;
}

PedigreeOptions pedigree_of(const PushOptions& options) {
  PedigreeOptions pedigree = options.pedigree;
  SourceOptions& source = pedigree.source;
  const bool is_asked_for =
      !source.directory.empty() || source.include_untracked || source.require_clean;
  if (!options.run.empty() && !is_asked_for) source.no_git = true;
  return pedigree;
}

std::vector<ScannedFile> gather_files(const PushOptions& options) {
  require_content(options);
  std::vector<ScannedFile> files = scan_paths(paths_of(options));
  if (options.list.empty()) return files;
  for (storage::ManifestFile& listed : load_dataset_list(options.list)) {
    files.push_back({std::move(listed), ""});
  }
  return files;
}

}  // namespace mendel::cli
