#include "cli/git_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "cli/interrupt.h"
#include "storage/base/error.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kOutputSizeMax = 16u << 20;
constexpr int kPollMs = 100;

constexpr const char* kSettings[] = {
    "GIT_TERMINAL_PROMPT=0",        "GIT_ALLOW_PROTOCOL=http:https:ssh:git:file",
    "GIT_CONFIG_COUNT=2",           "GIT_CONFIG_KEY_0=core.hooksPath",
    "GIT_CONFIG_VALUE_0=/dev/null", "GIT_CONFIG_KEY_1=advice.detachedHead",
    "GIT_CONFIG_VALUE_1=false",     "LC_ALL=C"};

struct Pipe {
  Fd reading;
  Fd writing;

  static Pipe open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_posix_error("open a pipe to", "git", errno);
    return {Fd(ends[0]), Fd(ends[1])};
  }
};

// Ours, but for what would lead git to another repository than the directory's.
std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with("GIT_") || text.starts_with("GIT_SSH") ||
        text.starts_with("GIT_SSL") || text.starts_with("GIT_ASKPASS")) {
      variables.emplace_back(text);
    }
  }
  for (const char* setting : kSettings) variables.emplace_back(setting);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Outcome {
  int status = 0;  // as of waitpid()
  std::string output;
  std::string complaints;

  bool succeeded() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
};

pid_t start(std::vector<std::string> command, int output, int complaints) {
  std::vector<std::string> variables = environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
  pid_t process = 0;
  const int failure =
      ::posix_spawnp(&process, "git", &actions, nullptr, pointers_to(command).data(),
                     pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw Error(ErrorCode::not_found, "there is no git here: install it, and try again");
  }
  if (failure != 0) {
    throw Error(ErrorCode::internal,
                fmt::format("cannot start git: {}", std::strerror(failure)));
  }
  return process;
}

// Reads both pipes to their ends. An interrupt reaches git as well, by the terminal.
void collect(const std::array<int, 2>& pipes, const std::array<std::string*, 2>& texts) {
  std::array<pollfd, 2> waiting{pollfd{pipes[0], POLLIN, 0}, pollfd{pipes[1], POLLIN, 0}};
  std::array<char, 65536> buffer;
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    throw_if_interrupted();
    if (::poll(waiting.data(), waiting.size(), kPollMs) < 0 && errno != EINTR) {
      throw_posix_error("wait for", "git", errno);
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].fd < 0 || (waiting[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      const ssize_t count = ::read(waiting[i].fd, buffer.data(), buffer.size());
      if (count <= 0) {
        waiting[i].fd = -1;
      } else if (texts[i]->size() < kOutputSizeMax) {
        texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      }
    }
  }
}

Outcome run(const std::filesystem::path& directory,
            const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"git", "-C", directory.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Pipe output = Pipe::open();
  Pipe complaints = Pipe::open();
  const pid_t process =
      start(std::move(command), output.writing.get(), complaints.writing.get());
  output.writing = Fd();
  complaints.writing = Fd();
  Outcome outcome;
  collect({output.reading.get(), complaints.reading.get()},
          {&outcome.output, &outcome.complaints});
  while (::waitpid(process, &outcome.status, 0) < 0 && errno == EINTR) {
  }
  return outcome;
}

}  // namespace

std::string run_git(const std::filesystem::path& directory,
                    const std::vector<std::string>& arguments) {
  Outcome outcome = run(directory, arguments);
  if (!outcome.succeeded()) {
    const auto end = outcome.complaints.find_last_not_of('\n');
    throw Error(ErrorCode::failed_precondition,
                fmt::format("git {}: {}", arguments.front(),
                            outcome.complaints.substr(0, end + 1)));
  }
  return std::move(outcome.output);
}

bool git_succeeds(const std::filesystem::path& directory,
                  const std::vector<std::string>& arguments) {
  return run(directory, arguments).succeeded();
}

}  // namespace mendel::cli
