#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/key_value.h"
#include "cli/output.h"
#include "cli/pedigree_options.h"
#include "cli/push_transfer.h"

namespace mendel::cli {

namespace {

constexpr int kAttemptsMax = 4;

constexpr const char* kHelp = R"(
A directory is pushed as its files, with paths relative to it; a file under its base name.
Kept are contents, executable bits, links that are relative and stay inside, and empty
directories. Sockets, pipes and devices, links that lead outside and names that are not UTF-8
are refused, by name, before anything is sent. Directories named .mendel are left out.

Only what the server does not have is sent, in pieces of about 64 KiB. A push that was
interrupted is simply repeated: what arrived is not sent again. Pushing what the newest version
already is makes no new one, and says so.

The reference and the digest of the version are printed.
)";

constexpr const char* kExamples = R"(

Examples:
  mendel push model lhcb/lamarr-trk out/ -m "retrained on calib-2016:3" --metric chi2_ndf=2.4 \
         --params params.yml --data lhcb/calib-2016:3 --parent lhcb/lamarr-trk@production
  mendel push model lhcb/lamarr-trk --platform x86_64_v2-el9-gcc13-opt=build/opt/libtrk.so \
         --platform x86_64_v2-el9-gcc13-dbg=build/dbg/libtrk.so --alias staging
  mendel push dataset lhcb/calib-2016 /data/calib --dry-run)";

struct PushOptions {
  std::string kind;
  std::string name;
  std::vector<std::string> paths;
  std::vector<std::string> platform_paths;
  std::vector<std::string> aliases;
  std::vector<std::string> labels;
  std::vector<std::string> metrics;
  PedigreeOptions pedigree;
  std::string message;
  std::string idempotency_key;
  bool dry_run = false;
};

std::vector<PushPath> paths_of(const PushOptions& options) {
  std::vector<PushPath> paths;
  for (const std::string& path : options.paths) paths.push_back({path, ""});
  for (const std::string& text : options.platform_paths) {
    const KeyValue pair = parse_key_value("--platform", text);
    paths.push_back({pair.value, pair.key});
  }
  if (paths.empty()) {
    throw Error(ErrorCode::invalid_argument, "nothing to push: name a file or a directory");
  }
  return paths;
}

// What is published, but for the manifest.
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
  return body;
}

// A connection that breaks is no reason to give up: the next attempt sends the rest.
SentManifest send_persistently(ApiClient& server, const PushBase& base,
                               const ArtifactName& name, storage::ArtifactKind kind,
                               std::vector<ScannedFile>& files) {
  for (int attempt = 1;; ++attempt) {
    try {
      const UploadSession upload = UploadSession::open(server, name.ns());
      return send_files(server.access(), upload, base, kind, files, Delivery::send);
    } catch (const Error& error) {
      if (attempt == kAttemptsMax || !is_transient(error.code())) throw;
      fmt::print(stderr, "mendel: {}; going on with what is missing\n", error.what());
    }
    sleep_unless_interrupted(std::chrono::seconds(attempt));
  }
}

void report_dry_run(const SentManifest& sent, const GlobalOptions& global) {
  if (global.json) {
    return print_json({{"digest", sent.digest.to_string()},
                       {"file_count", sent.file_count},
                       {"size_bytes", sent.size_bytes},
                       {"new_bytes", sent.new_bytes},
                       {"sent_bytes", sent.sent_bytes}});
  }
  fmt::print(
      "would push {} files of {}, of which {} are new ({} to send); nothing was made\n",
      sent.file_count, format_size(sent.size_bytes), format_size(sent.new_bytes),
      format_size(sent.sent_bytes));
}

void report(const ArtifactName& name, const SentManifest& sent, Json version,
            const GlobalOptions& global) {
  if (global.json) {
    version["new_bytes"] = sent.new_bytes;
    version["sent_bytes"] = sent.sent_bytes;
    return print_json(version);
  }
  const std::string artifact = version.value("artifact", name.text());
  const std::string reference = artifact + ":" + text_of(version, "version");
  fmt::print("{}  {}\n", reference, text_of(version, "digest"));
  if (!version.value("created", true)) {
    fmt::print(stderr, "nothing changed: this is already what {} is\n", reference);
  }
}

void push(const PushOptions& options, const GlobalOptions& global) {
  const ArtifactName name = ArtifactName::parse(options.name);
  const storage::ArtifactKind kind = *storage::parse_artifact_kind(options.kind);
  Json body = description_of(options);
  const Pedigree pedigree = gather_pedigree(options.pedigree);
  std::vector<ScannedFile> files = scan_paths(paths_of(options));

  ApiClient server = connect(global);
  const PushBase base = PushBase::find(server, kind, name);
  if (options.dry_run) {
    UploadSession upload = UploadSession::open(server, name.ns());
    const auto sent =
        send_files(server.access(), upload, base, kind, files, Delivery::dry_run);
    upload.abandon();
    return report_dry_run(sent, global);
  }

  const SentManifest sent = send_persistently(server, base, name, kind, files);
  body["manifest"] = sent.digest.to_string();
  body.update(deliver_pedigree(pedigree, server, name));
  const std::string key =
      options.idempotency_key.empty() ? new_uuid() : options.idempotency_key;
  const Json version = server.post(artifact_path(kind, name) + "/versions", body, key);
  report(name, sent, version, global);
}

void declare_description(CLI::App& app, PushOptions& options) {
  app.add_option("-m,--message", options.message, "what is new about it")
      ->type_name("TEXT");
  app.add_option("--alias", options.aliases, "point this alias at it; may be repeated")
      ->expected(1)
      ->take_all()
      ->type_name("ALIAS");
  app.add_option("--label", options.labels, "may be repeated")
      ->expected(1)
      ->take_all()
      ->type_name("KEY=VALUE");
  app.add_option("--metric", options.metrics, "a number that was measured; may be repeated")
      ->expected(1)
      ->take_all()
      ->type_name("NAME=VALUE");
}

}  // namespace

void declare_push(CLI::App& app, const GlobalOptions& global) {
  app.footer(std::string(kHelp) + kPedigreeHelp + kExamples);
  auto options = std::make_shared<PushOptions>();
  app.add_option("KIND", options->kind, "model, dataset or environment")
      ->required()
      ->check(CLI::IsMember({"model", "dataset", "environment"}));
  app.add_option("NAME", options->name, "an artifact: namespace/name")->required();
  app.add_option("PATH", options->paths, "files and directories, for all platforms");
  app.add_option("--platform", options->platform_paths,
                 "a file or directory for one platform; may be repeated")
      ->expected(1)
      ->take_all()
      ->type_name("PLATFORM=PATH");
  declare_description(app, *options);
  declare_pedigree_options(app, options->pedigree);
  app.add_flag("--dry-run", options->dry_run, "say what would be sent, and make nothing");
  app.add_option("--idempotency-key", options->idempotency_key,
                 "repeated with the same key, a push makes one version at the most")
      ->type_name("KEY");
  app.callback([options, &global] { push(*options, global); });
}

}  // namespace mendel::cli
