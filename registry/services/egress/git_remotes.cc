#include "registry/services/egress/git_remotes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "registry/services/egress/ls_remote.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::registry {

namespace {

constexpr auto kTurnTimeMax = std::chrono::seconds(10);
constexpr auto kTimeMax = std::chrono::seconds(60);
constexpr auto kCpuTimeMax = std::chrono::seconds(30);
constexpr std::size_t kOutputSizeMax = 32u << 20;
constexpr std::uint64_t kMemorySizeMax = 2ull << 30;
constexpr std::uint64_t kFileSizeMax = 256ull << 20;

constexpr const char* kGitPrograms[] = {"/usr/bin/git", "/usr/local/bin/git", "/bin/git"};

// Where an operator has said which authorities to trust, in the order of their weight.
constexpr const char* kTrustVariables[] = {"GIT_SSL_CAINFO", "CURL_CA_BUNDLE",
                                           "SSL_CERT_FILE"};

std::string git_program() {
  for (const char* program : kGitPrograms) {
    if (access(program, X_OK) == 0) return program;
  }
  throw Error(ErrorCode::unavailable, "the server has no git: install it there");
}

std::vector<std::string> environment(const std::string& scheme) {
  std::vector<std::string> variables{"PATH=/usr/local/bin:/usr/bin:/bin",
                                     "LC_ALL=C",
                                     "HOME=/nonexistent",
                                     "XDG_CONFIG_HOME=/nonexistent",
                                     "GIT_CONFIG_NOSYSTEM=1",
                                     "GIT_CONFIG_GLOBAL=/dev/null",
                                     "GIT_ATTR_NOSYSTEM=1",
                                     "GIT_TERMINAL_PROMPT=0",
                                     "GIT_ASKPASS=/bin/false",
                                     "SSH_ASKPASS=/bin/false",
                                     "GIT_SSH_COMMAND=/bin/false",
                                     "GIT_PROTOCOL_FROM_USER=0",
                                     "GIT_NO_LAZY_FETCH=1",
                                     "GIT_NO_REPLACE_OBJECTS=1",
                                     "GIT_ALLOW_PROTOCOL=" + scheme};
  for (const char* name : kTrustVariables) {
    if (const char* file = std::getenv(name); file != nullptr && file[0] != '\0') {
      variables.push_back("GIT_SSL_CAINFO=" + std::string(file));
      break;
    }
  }
  return variables;
}

std::vector<std::string> settings(const Destination& destination) {
  std::vector<std::string> arguments;
  for (const std::string& setting :
       {std::string("protocol.allow=never"),
        "protocol." + destination.scheme + ".allow=always",
        "http.curloptResolve=" + destination.pin(),
        std::string("http.followRedirects=false"), std::string("http.proxy="),
        std::string("http.lowSpeedLimit=1"), std::string("http.lowSpeedTime=20"),
        std::string("credential.helper="), std::string("core.askPass=/bin/false"),
        std::string("core.hooksPath=/dev/null"), std::string("core.fsmonitor=false"),
        std::string("core.symlinks=false"), std::string("fetch.unpackLimit=1"),
        std::string("fetch.recurseSubmodules=no"),
        std::string("fetch.writeCommitGraph=false"), std::string("pack.threads=1"),
        std::string("transfer.bundleURI=false"), std::string("gc.auto=0"),
        std::string("maintenance.auto=false")}) {
    arguments.push_back("-c");
    arguments.push_back(setting);
  }
  return arguments;
}

bool has_not_the_commit(std::string_view complaints) {
  for (const char* words : {"not our ref", "no such remote ref", "not a valid object",
                            "unadvertised object", "find remote ref"}) {
    if (complaints.find(words) != std::string_view::npos) return true;
  }
  return false;
}

void check_commit(const std::string& commit) {
  if (!is_commit_id(commit))
    throw Error(ErrorCode::invalid_argument,
                "a commit is 40 or 64 lower-case hexadecimal digits");
}

}  // namespace

// One of the few processes that run at a time.
class GitRemotes::Turn {
 public:
  explicit Turn(std::counting_semaphore<kProcessesMax>& turns) : turns_(turns) {
    if (!turns_.try_acquire_for(kTurnTimeMax))
      throw Error(
          ErrorCode::resource_exhausted,
          "the server asks other repositories already, as many as it may at a time");
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { turns_.release(); }

 private:
  std::counting_semaphore<kProcessesMax>& turns_;
};

// An empty directory that git may write into, gone at the end.
class GitRemotes::Scratch {
 public:
  explicit Scratch(const std::filesystem::path& parent) {
    std::filesystem::create_directories(parent);
    std::string made = (parent / "XXXXXX").string();
    if (mkdtemp(made.data()) == nullptr) throw_posix_error("make", made, errno);
    path_ = made;
    const LimitedUser user = limited_user();
    if (geteuid() == 0 && chown(made.c_str(), user.uid, user.gid) != 0) {
      const int error_number = errno;
      remove();
      throw_posix_error("give away", made, error_number);
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { remove(); }

  std::string path() const { return path_.string(); }

 private:
  void remove() const {
    std::error_code left;  // the next start removes it
    std::filesystem::remove_all(path_, left);
  }
  std::filesystem::path path_;
};

GitRemotes::GitRemotes(const Egress& egress, std::filesystem::path directory)
    : egress_(egress), directory_(std::move(directory)) {
  std::error_code left;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, left);
}

GitRemotes::Remote GitRemotes::remote_at(const std::string& repository) const {
  Remote remote{RepositoryUrl::parse(repository), {}};
  RepositoryUrl& url = remote.url;
  if (url.scheme.empty()) url.scheme = "https";
  if (url.scheme == "ssh" || url.scheme == "git") {
    throw Error(ErrorCode::permission_denied,
                "the server asks repositories by https, not by " + url.scheme +
                    ": give the address that begins with https://");
  }
  if (!url.authority.user.empty()) {
    throw Error(ErrorCode::permission_denied,
                "the address of a repository must not hold a user or a password");
  }
  remote.destination = egress_.destination(url.scheme, url.authority);
  return remote;
}

ProcessOutcome GitRemotes::run_git(const Remote& remote, const std::string& directory,
                                   const std::vector<std::string>& arguments) {
  LimitedCommand command{.arguments = {git_program()},
                         .environment = environment(remote.url.scheme),
                         .directory = directory,
                         .time_max = kTimeMax,
                         .cpu_time_max = kCpuTimeMax,
                         .output_size_max = kOutputSizeMax,
                         .memory_size_bytes_max = kMemorySizeMax,
                         .file_size_bytes_max = kFileSizeMax,
                         .cancelled = &stopped_};
  // Only the directory itself can be a repository, and "/" is none.
  command.environment.push_back(directory == "/" ? "GIT_DIR=/nonexistent" : "GIT_DIR=.");
  for (auto& setting : settings(remote.destination)) {
    command.arguments.push_back(std::move(setting));
  }
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  return run_limited(command);
}

std::map<std::string, std::string> GitRemotes::list_refs(
    const Remote& remote, const std::vector<std::string>& selection) {
  const std::string address = remote.url.text();
  std::vector<std::string> arguments{"ls-remote", "--quiet"};
  arguments.insert(arguments.end(), selection.begin(), selection.end());
  arguments.insert(arguments.end(), {"--end-of-options", address});
  const Turn turn(turns_);
  const ProcessOutcome outcome = run_git(remote, "/", arguments);
  if (outcome.exit_status != 0) throw explain_git_failure(address, outcome.complaints);
  return parse_refs(outcome.output);
}

std::string GitRemotes::commit_of(const std::string& repository, const std::string& ref) {
  const Remote remote = remote_at(repository);
  if (is_commit_id(ref)) return ref;
  if (!is_ref_name(ref)) {
    throw Error(ErrorCode::invalid_argument, "'" + ref + "' is not the name of a ref");
  }
  const bool is_full = ref == "HEAD" || ref.starts_with("refs/");
  const auto refs = is_full ? list_refs(remote, {}) : list(remote);
  const auto commit = find_commit(refs, ref);
  if (!commit) {
    throw Error(ErrorCode::not_found,
                remote.url.text() + " has no branch or tag '" + ref + "'");
  }
  return *commit;
}

std::map<std::string, std::string> GitRemotes::list(const std::string& repository) {
  return list(remote_at(repository));
}

std::map<std::string, std::string> GitRemotes::list(const Remote& remote) {
  return list_refs(remote, {"--heads", "--tags"});
}

// One commit each without its past, without what the filter leaves out. false: a commit is
// not there.
bool GitRemotes::fetch(const Remote& remote, const Scratch& scratch,
                       const std::string& filter, const std::vector<std::string>& commits) {
  const std::string address = remote.url.text();
  const std::string format = commits.at(0).size() == 64 ? "sha256" : "sha1";
  const auto made = run_git(
      remote, scratch.path(),
      {"init", "--quiet", "--bare", "--template=", "--object-format=" + format, "."});
  if (made.exit_status != 0) throw explain_git_failure(address, made.complaints);

  std::vector<std::string> arguments{"fetch",
                                     "--quiet",
                                     "--depth=1",
                                     "--no-tags",
                                     "--no-auto-gc",
                                     "--no-write-fetch-head",
                                     "--filter=" + filter,
                                     "--end-of-options",
                                     address};
  arguments.insert(arguments.end(), commits.begin(), commits.end());
  const auto fetched = run_git(remote, scratch.path(), arguments);
  if (fetched.exit_status == 0) return true;
  if (has_not_the_commit(fetched.complaints)) return false;
  throw explain_git_failure(address, fetched.complaints);
}

bool GitRemotes::has(const std::string& repository, const std::string& commit) {
  check_commit(commit);
  const Remote remote = remote_at(repository);
  const Turn turn(turns_);
  const Scratch scratch(directory_);
  return fetch(remote, scratch, "tree:0", {commit});
}

std::optional<std::vector<std::string>> GitRemotes::changed_paths(
    const std::string& repository, const std::string& before, const std::string& after) {
  check_commit(before);
  check_commit(after);
  const Remote remote = remote_at(repository);
  const Turn turn(turns_);
  const Scratch scratch(directory_);
  if (!fetch(remote, scratch, "blob:none", {before, after})) return std::nullopt;
  const auto outcome =
      run_git(remote, scratch.path(),
              {"diff-tree", "-r", "-z", "--no-renames", "--name-only", "--no-ext-diff",
               "--no-textconv", "--end-of-options", before, after});
  if (outcome.exit_status != 0)
    throw explain_git_failure(remote.url.text(), outcome.complaints);
  std::vector<std::string> paths;
  for (std::string_view rest = outcome.output; !rest.empty();) {
    const auto end = std::min(rest.find('\0'), rest.size());
    if (paths.size() == kChangedPathsMax) return std::nullopt;
    paths.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return paths;
}

}  // namespace mendel::registry
