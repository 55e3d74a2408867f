#include "cli/reproduction.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <utility>

#include "cli/file_digest.h"
#include "cli/output.h"
#include "cli/shell_word.h"
#include "cli/source_checkout.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

std::string in_one_line(const RecordedCommand& command) {
  std::string line;
  for (const std::string& word : command.words) {
    if (!line.empty()) line += " ";
    line += shell_word(word);
  }
  return line;
}

// A name for each input that lies in this registry: its own, or its artifact's, with a
// number where that is taken.
std::string free_name(const Json& input, const std::map<std::string, Json>& taken) {
  std::string name = text_of(input, "name");
  if (name.empty()) {
    name = Reference::parse(text_of(input, "ref")).artifact.name().text();
  }
  if (!taken.contains(name)) return name;
  for (int number = 2;; ++number) {
    std::string numbered = fmt::format("{}-{}", name, number);
    if (!taken.contains(numbered)) return numbered;
  }
}

bool is_environment(const Json& input) { return text_of(input, "role") == "environment"; }

std::string described(const Json& input) {
  std::string text = text_of(input, input.contains("ref") ? "ref" : "uri");
  if (input.contains("digest")) text += "  " + text_of(input, "digest");
  return text;
}

// The regular files of a tree by their names; git's own are left out.
std::multimap<std::string, fs::path> files_below(const fs::path& root) {
  std::multimap<std::string, fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->path().filename() == ".git") entry.disable_recursion_pending();
    if (entry->is_regular_file() && !entry->is_symlink()) {
      files.emplace(entry->path().filename().string(), entry->path());
    }
  }
  return files;
}

}  // namespace

Reproduction::Reproduction(ApiClient& server, const ResolvedVersion& version,
                           std::filesystem::path directory, std::string repository)
    : server_(server),
      version_(version),
      directory_(std::move(directory)),
      workspace_(directory_),
      repository_(std::move(repository)) {}

void Reproduction::lay_out() {
  if (fs::exists(directory_) && !fs::is_empty(directory_)) {
    throw Error(ErrorCode::already_exists,
                directory_.string() + " is not empty: name a new directory");
  }
  fs::create_directories(directory_);
  find_command();
  lay_out_source();
  lay_out_inputs();
  if (version_.document.contains("hyperparameters")) {
    workspace_.add_params(version_.document["hyperparameters"].at("value"));
    workspace_.link_params();
  } else {
    notes_.emplace_back("its hyperparameters");
  }
  write_environment();
  write_whole_file(directory_ / "version.json", version_.document.dump(2) + "\n");
  write_readme();
}

void Reproduction::lay_out_source() {
  const fs::path target = workspace_.source();
  const Json source = version_.document.value("source", Json());
  if (source.is_null()) {
    fs::create_directories(target);
    notes_.emplace_back("the commit that it was made from");
    return;
  }
  const std::string from =
      repository_.empty() ? text_of(source, "repository") : repository_;
  if (from.empty()) {
    throw Error(ErrorCode::not_found,
                "the source of " + version_.reference() +
                    " had no remote: name a repository that has the commit with --git");
  }
  check_out(source, from, get_patch(server_, version_), target);
  if (source.value("dirty", false) && !source.contains("patch")) {
    notes_.emplace_back("what the tree had beyond the commit");
  }
}

void Reproduction::lay_out_inputs() {
  std::map<std::string, Json> named;
  for (const Json& input : version_.document.value("inputs", Json::array())) {
    if (is_environment(input) || !input.contains("ref")) continue;
    named.emplace(free_name(input, named), input);
  }
  if (named.empty()) return;
  for (const auto& [name, input] : named) {
    const ResolvedVersion version =
        get_version(server_, Reference::parse(text_of(input, "ref")));
    const PulledVersion pulled = workspace_.add_input(server_, version, name);
    if (const auto count = pulled.plan.elsewhere.size(); count > 0) {
      notes_.push_back(
          fmt::format("{} files of {}: they stay where they are, see `mendel "
                      "files`",
                      count, version.reference()));
    }
  }
  workspace_.link_inputs();
}

void Reproduction::write_environment() const {
  std::string text;
  for (const Json& input : version_.document.value("inputs", Json::array())) {
    if (is_environment(input)) text += described(input) + "\n";
  }
  if (!text.empty()) write_whole_file(directory_ / "environment.txt", text);
}

void Reproduction::find_command() {
  const std::string id = text_of(version_.document, "run");
  if (id.empty()) return;
  const auto run = server_.find("/api/v1/runs/" + id);
  if (!run || !run->contains("command")) return;
  command_ = {run->at("command").get<std::vector<std::string>>(),
              text_of(*run, "directory")};
}

void Reproduction::write_readme() const {
  std::string text =
      fmt::format("# {}\n\n{}\n\n", version_.reference(), version_.digest.to_string());
  if (const std::string message = text_of(version_.document, "message"); !message.empty()) {
    text += message + "\n\n";
  }
  text +=
      "Laid out by `mendel reproduce` from what the registry keeps:\n\n"
      "- `source/`: the code that it was made from";
  const Json source = version_.document.value("source", Json::object());
  if (source.contains("commit")) {
    text += fmt::format(", commit `{}`{}", text_of(source, "commit"),
                        source.contains("patch") ? " with its patch applied" : "");
  }
  text +=
      "\n- `inputs/`: what it was made from, each under its name\n"
      "- `params.json`: the hyperparameters\n"
      "- `environment.txt`: what it ran in\n\n## Inputs\n\n";
  for (const Json& input : version_.document.value("inputs", Json::array())) {
    text += fmt::format("- {}: {}\n", text_of(input, "role"), described(input));
  }
  text += "\n## What to run\n\n";
  if (command_) {
    const fs::path place = command_->directory.empty()
                               ? fs::path("source")
                               : fs::path("source") / command_->directory;
    text += fmt::format("    cd {}\n    {}\n\n", shell_word(place.string()),
                        in_one_line(*command_));
    text += fmt::format("or `mendel reproduce {} --to DIR --run`, which also compares.\n",
                        version_.reference());
  } else {
    text += "The command was not recorded (`mendel run exec` does that).\n";
  }
  if (!notes_.empty()) {
    text += "\n## What is not here\n\n";
    for (const std::string& note : notes_) text += "- " + note + "\n";
  }
  write_whole_file(directory_ / "README.md", text);
}

int Reproduction::run() const {
  if (!command_) {
    throw Error(ErrorCode::failed_precondition,
                "no command is recorded for " + version_.reference());
  }
  const fs::path place = directory_ / "source" / command_->directory;
  std::vector<std::string> words = command_->words;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t process = ::fork();
  if (process == 0) {
    // A reproduction records nothing into the run that it repeats.
    ::unsetenv("MENDEL_RUN");
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    if (::chdir(place.c_str()) == 0) ::execvp(pointers.front(), pointers.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Reproduction::Outcome Reproduction::compare() const {
  const auto made = files_below(directory_ / "source");
  Outcome outcome;
  for (const storage::ManifestFile& file : get_tree(server_, version_).files) {
    if (!file.digest) continue;
    bool is_found = false;
    bool is_equal = false;
    const auto [first, last] = made.equal_range(fs::path(file.path).filename().string());
    for (auto place = first; place != last && !is_equal; ++place) {
      const std::string path = place->second.string();
      if (!path.ends_with("/" + file.path)) continue;
      is_found = true;
      is_equal = digest_of(open_file(path, O_RDONLY, 0), path) == *file.digest;
    }
    auto& list = is_equal ? outcome.equal : is_found ? outcome.differ : outcome.missing;
    list.push_back(file.platform.empty() ? file.path : file.platform + ": " + file.path);
  }
  return outcome;
}

}  // namespace mendel::cli
