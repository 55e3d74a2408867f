#include "cli/rebuild_check.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "cli/api_path.h"
#include "cli/nowhere.h"
#include "cli/output.h"
#include "cli/pedigree_pages.h"
#include "cli/progress.h"
#include "cli/range_fetch.h"
#include "cli/source_checkout.h"
#include "storage/canonical_json.h"

namespace mendel::cli {

namespace {

using State = RebuildItem::State;

// What an attempt to have something ended with.
struct Finding {
  State state;
  std::string detail;
};

template <class Attempt>
Finding finding_of(Attempt attempt) {
  try {
    return {State::available, attempt()};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || is_transient(error.code())) throw;
    return {State::missing, error.what()};
  }
}

class RebuildCheck {
 public:
  RebuildCheck(ApiClient& server, BytesAre bytes_are)
      : server_(server), bytes_are_(bytes_are) {}

  void look_at(const ResolvedVersion& version, bool is_root) {
    const std::string of = version.reference();
    add(of, "bytes", finding_of([&] { return look_at_bytes(version); }));
    const Json& document = version.document;
    if (document.contains("hyperparameters")) {
      add(of, "hyperparameters",
          finding_of([&] { return look_at_parameters(document["hyperparameters"]); }));
    } else if (is_root) {
      add(of, "hyperparameters", {State::unrecorded, ""});
    }
    if (document.contains("source")) {
      look_at_source(version, document["source"]);
    } else if (is_root) {
      add(of, "commit", {State::unrecorded, ""});
    }
    if (is_root && !has_environment(document)) {
      add(of, "environment", {State::unrecorded, ""});
    }
  }

  void look_at_outside(const Json& node, const std::string& role) {
    const bool verifiable = node.value("verifiable", false);
    add(text_of(node, "uri"), role == "environment" ? role : "input",
        {verifiable ? State::elsewhere : State::unverifiable, text_of(node, "digest")});
  }

  void add(const std::string& of, const std::string& what, Finding finding) {
    items_.push_back({of, what, finding.state, std::move(finding.detail)});
  }

  std::vector<RebuildItem> items() && { return std::move(items_); }

 private:
  static bool has_environment(const Json& document) {
    for (const Json& input : document.value("inputs", Json::array())) {
      if (text_of(input, "role") == "environment") return true;
    }
    return false;
  }

  std::string look_at_bytes(const ResolvedVersion& version) {
    const storage::Manifest manifest = get_tree(server_, version);
    std::vector<std::size_t> stored;
    std::uint64_t size_bytes = 0;
    for (std::size_t i = 0; i < manifest.files.size(); ++i) {
      const storage::ManifestFile& file = manifest.files[i];
      if (!file.locations.empty()) {
        add(version.reference() + " " + file.path, "bytes",
            {State::elsewhere, file.locations.front()});
      }
      if (!file.digest) continue;
      stored.push_back(i);
      size_bytes += file.size_bytes;
    }
    if (bytes_are_ == BytesAre::rehashed) {
      Progress progress("verifying " + version.reference(), size_bytes);
      Nowhere nowhere;
      fetch_files(server_.access(), version, manifest, stored, nowhere, progress);
    } else {
      for (const std::size_t i : stored) ask_for(version, manifest.files[i]);
    }
    return fmt::format("{} files, {}{}", stored.size(), format_size(size_bytes),
                       bytes_are_ == BytesAre::rehashed ? ", every byte hashed" : "");
  }

  // Its first byte: the server must find its chunk for that, and checks it.
  void ask_for(const ResolvedVersion& version, const storage::ManifestFile& file) {
    if (file.size_bytes == 0) return;
    struct : Sink {
      void write(std::span<const std::byte>) override {}
    } nowhere;
    fetch_range(server_, file_path(version.path(), "files", file), {0, 1}, nowhere);
  }

  static std::string look_at_parameters(const Json& hyperparameters) {
    const auto digest = Digest::parse(text_of(hyperparameters, "digest"));
    if (Digest::of(storage::canonical_json(hyperparameters.at("value"))) != digest) {
      throw Error(ErrorCode::data_loss, "they are not what their digest says");
    }
    return digest.to_string();
  }

  void look_at_source(const ResolvedVersion& version, const Json& source) {
    const std::string of = version.reference();
    add(of, "commit", finding_of([&] { return look_at_commit(source); }));
    if (source.contains("patch")) {
      add(of, "patch", finding_of([&] {
            get_patch(server_, version);
            return text_of(source, "patch");
          }));
    } else if (source.value("dirty", false)) {
      add(of, "patch", {State::unrecorded, "the tree was dirty"});
    }
  }

  std::string look_at_commit(const Json& source) {
    const std::string repository = text_of(source, "repository");
    const std::string commit = text_of(source, "commit");
    if (repository.empty()) {
      throw Error(ErrorCode::not_found, commit + " of a repository without a remote");
    }
    const auto [known, is_new] = commits_.try_emplace({repository, commit});
    if (is_new) known->second = find_commit(repository, commit);
    if (!known->second.why_lost.empty())
      throw Error(ErrorCode::not_found, known->second.why_lost);
    return commit + " of " + repository +
           (known->second.by_server ? ", by the server" : "");
  }

  struct FoundCommit {
    std::string why_lost;    // empty: it is there
    bool by_server = false;  // this machine's git does not reach it
  };

  FoundCommit find_commit(const std::string& repository, const std::string& commit) {
    const std::string why_lost = why_commit_is_lost(repository, commit);
    if (why_lost.empty()) return {};
    if (server_finds(repository, commit)) return {.why_lost = "", .by_server = true};
    return {.why_lost = why_lost, .by_server = false};
  }

  // Whatever keeps the server from asking says nothing about the commit.
  bool server_finds(const std::string& repository, const std::string& commit) {
    try {
      return server_
          .get("/api/v1/repositories/check?repository=" + percent_encode(repository) +
               "&commit=" + percent_encode(commit))
          .value("available", false);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      return false;
    }
  }

  ApiClient& server_;
  const BytesAre bytes_are_;
  std::map<std::pair<std::string, std::string>, FoundCommit> commits_;
  std::vector<RebuildItem> items_;
};

// By what roles something outside is needed: as an environment, or else as an input.
std::string role_of(const PedigreeDocument& pedigree, const std::string& uri) {
  for (const Json& edge : pedigree.edges) {
    if (text_of(edge, "to") == uri) return text_of(edge, "role");
  }
  return "";
}

}  // namespace

const char* to_string(State state) {
  switch (state) {
    case State::available: return "available";
    case State::unrecorded: return "unrecorded";
    case State::elsewhere: return "elsewhere";
    case State::unverifiable: return "unverifiable";
    case State::missing: return "missing";
  }
  return "";
}

bool is_lost(State state) {
  return state == State::missing || state == State::unverifiable;
}

std::vector<RebuildItem> check_rebuild(ApiClient& server, const ResolvedVersion& version,
                                       BytesAre bytes_are) {
  const PedigreeDocument pedigree = get_pedigree(server, version, "up", std::nullopt);
  RebuildCheck check(server, bytes_are);
  check.look_at(version, true);
  for (std::size_t i = 1; i < pedigree.nodes.size(); ++i) {
    const Json& node = pedigree.nodes[i];
    if (node.contains("uri")) {
      check.look_at_outside(node, role_of(pedigree, text_of(node, "uri")));
    } else if (text_of(node, "state") == "deleted") {
      check.add(text_of(node, "ref"), "bytes", {State::missing, "it was deleted"});
    } else {
      check.look_at(get_version(server, Reference::parse(text_of(node, "ref"))), false);
    }
  }
  if (pedigree.hidden > 0) {
    check.add(version.reference(), "input",
              {State::unverifiable,
               fmt::format("{} versions that you may not read", pedigree.hidden)});
  }
  return std::move(check).items();
}

}  // namespace mendel::cli
