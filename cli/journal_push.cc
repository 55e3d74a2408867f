#include "cli/journal_push.h"

namespace mendel::cli {

namespace {

// The digest names the version, as its number will be known to the server first.
std::string keep_environment(const EnvironmentFiles& files, Journal& journal,
                             const ArtifactName& owner) {
  storage::Manifest manifest;
  manifest.kind = storage::ArtifactKind::environment;
  for (const auto& [path, content] : files) {
    storage::ManifestFile file;
    file.path = path;
    file.digest = journal.keep(content);
    file.size_bytes = content.size();
    manifest.files.push_back(std::move(file));
  }
  const std::string digest = journal.keep(std::move(manifest)).to_string();
  const ArtifactName name = environment_of(owner);
  append_push(journal, storage::ArtifactKind::environment, name,
              {{"message", kEnvironmentMessage}, {"manifest", digest}}, new_uuid());
  return name.text() + "@" + digest;
}

}  // namespace

Json keep_pedigree(const Pedigree& pedigree, Journal& journal, const ArtifactName& owner) {
  if (!pedigree.patch.empty()) journal.keep(pedigree.patch);
  Json body = pedigree.body;
  if (pedigree.environment) {
    body["inputs"].push_back(
        {{"role", "environment"},
         {"ref", keep_environment(*pedigree.environment, journal, owner)}});
  }
  return body;
}

Digest keep_content(Journal& journal, PushContent& content) {
  storage::Manifest manifest;
  manifest.kind = content.kind;
  manifest.components = content.components;
  for (ScannedFile& file : content.files) {
    if (!file.source.empty()) file.entry.digest = journal.keep_file(file);
    manifest.files.push_back(file.entry);
  }
  return journal.keep(std::move(manifest));
}

void append_push(Journal& journal, storage::ArtifactKind kind, const ArtifactName& name,
                 const Json& body, const std::string& idempotency_key) {
  journal.append({{"type", "push"},
                  {"kind", std::string(storage::to_string(kind))},
                  {"name", name.text()},
                  {"key", idempotency_key},
                  {"body", body}});
}

}  // namespace mendel::cli
