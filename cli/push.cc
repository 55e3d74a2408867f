#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/api_path.h"
#include "cli/command.h"
#include "cli/journal_option.h"
#include "cli/journal_push.h"
#include "cli/key_value.h"
#include "cli/output.h"
#include "cli/push_options.h"
#include "cli/send_persistently.h"

namespace mendel::cli {

namespace {

// What each component is at this moment: the version is made of that, and of nothing that
// an alias points at later.
std::vector<storage::ManifestComponent> freeze_components(ApiClient& server,
                                                          const PushOptions& options) {
  std::vector<storage::ManifestComponent> components;
  for (const std::string& text : options.components) {
    const KeyValue pair = parse_key_value("--component", text);
    const ResolvedVersion version = get_version(server, Reference::parse(pair.value));
    components.push_back(
        {Name::parse("a component", pair.key).text(), version.reference(), version.digest});
  }
  return components;
}

// What publishing would refuse: inputs that are not there, or not to be read.
void require_inputs(ApiClient& server, const Pedigree& pedigree) {
  if (!pedigree.body.contains("inputs")) return;
  for (const Json& input : pedigree.body["inputs"]) {
    if (!input.contains("ref")) continue;
    get_version(server, Reference::parse(input["ref"].get<std::string>()));
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

void report(const ArtifactName& name, Json version, const GlobalOptions& global) {
  if (global.json) return print_json(version);
  const std::string artifact = version.value("artifact", name.text());
  const std::string reference = artifact + ":" + text_of(version, "version");
  fmt::print("{}  {}\n", reference, text_of(version, "digest"));
  if (!version.value("created", true)) {
    fmt::print(stderr, "nothing changed: this is already what {} is\n", reference);
  }
}

Json publish(ApiClient& server, const PushContent& content, const ArtifactName& name,
             const Json& body, const PushOptions& options) {
  const std::string key =
      options.idempotency_key.empty() ? new_uuid() : options.idempotency_key;
  return server.post(artifact_path(content.kind, name) + "/versions", body, key);
}

// The server has the bytes already.
void push_checkpoint(const PushOptions& options, const ArtifactName& name,
                     const PushContent& content, const Pedigree& pedigree,
                     const GlobalOptions& global) {
  Json body = description_of(options);
  ApiClient server = connect(global);
  if (options.dry_run) {
    throw Error(ErrorCode::invalid_argument,
                "--dry-run says what would be sent, and a checkpoint is not sent");
  }
  body.update(deliver_pedigree(pedigree, server, name));
  report(name, publish(server, content, name, body, options), global);
}

void push_files(const PushOptions& options, const ArtifactName& name, PushContent& content,
                const Pedigree& pedigree, const GlobalOptions& global) {
  Json body = description_of(options);
  ApiClient server = connect(global);
  const PushBase base = PushBase::find(server, content.kind, name);
  content.components = freeze_components(server, options);
  if (options.dry_run) {
    require_inputs(server, pedigree);
    UploadSession upload = UploadSession::open(server, name.ns());
    const auto sent =
        send_content(server.access(), upload, base, content, Delivery::dry_run);
    upload.abandon();
    return report_dry_run(sent, global);
  }

  const SentManifest sent = send_persistently(server, base, name.ns(), content);
  body["manifest"] = sent.digest.to_string();
  body.update(deliver_pedigree(pedigree, server, name));
  Json version = publish(server, content, name, body, options);
  version["new_bytes"] = sent.new_bytes;
  version["sent_bytes"] = sent.sent_bytes;
  report(name, std::move(version), global);
}

// Nothing is asked of a server: what only it can say is said when the push is delivered.
void push_into_journal(const std::string& directory, const PushOptions& options,
                       const ArtifactName& name, PushContent& content,
                       const Pedigree& pedigree, const GlobalOptions& global) {
  Json body = description_of(options);
  if (options.dry_run || !options.components.empty()) {
    throw Error(
        ErrorCode::invalid_argument,
        "--dry-run and --component ask the server, and so do not go with a journal");
  }
  Journal journal(directory);
  if (options.checkpoint.empty()) {
    body["manifest"] = keep_content(journal, content).to_string();
  }
  body.update(keep_pedigree(pedigree, journal, name));
  const std::string key =
      options.idempotency_key.empty() ? new_uuid() : options.idempotency_key;
  append_push(journal, content.kind, name, body, key);
  if (global.json) return print_json({{"artifact", name.text()}, {"journal", directory}});
  fmt::print("{}  {}  recorded in {}\n", name.text(), text_of(body, "manifest"), directory);
}

void push(const PushOptions& options, const GlobalOptions& global) {
  const ArtifactName name = ArtifactName::parse(options.name);
  PushContent content{
      *storage::parse_artifact_kind(options.kind), gather_files(options), {}};
  const Pedigree pedigree = gather_pedigree(pedigree_of(options));
  if (const auto journal = journal_directory(options.journal); !journal.empty()) {
    return push_into_journal(journal, options, name, content, pedigree, global);
  }
  if (!options.checkpoint.empty()) {
    return push_checkpoint(options, name, content, pedigree, global);
  }
  push_files(options, name, content, pedigree, global);
}

}  // namespace

void declare_push(CLI::App& app, const GlobalOptions& global) {
  auto options = std::make_shared<PushOptions>();
  declare_push_options(app, *options);
  app.callback([options, &global] { push(*options, global); });
}

}  // namespace mendel::cli
