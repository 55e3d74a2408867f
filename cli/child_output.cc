#include "cli/child_output.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "cli/interrupt.h"
#include "storage/base/fd.h"

extern char** environ;

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct Child {
  pid_t id;
  Fd output;
};

std::optional<Child> start(const std::vector<std::string>& command) {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  Fd output(ends[0]);
  const Fd input(ends[1]);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // a group of its own

  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t id = 0;
  const int failure =
      ::posix_spawnp(&id, arguments[0], &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failure != 0) return std::nullopt;
  return Child{id, std::move(output)};
}

// The whole output; nullopt if it is too much, or not over in time.
std::optional<std::string> read_until(const Fd& output, Clock::time_point deadline,
                                      std::size_t size_bytes_max) {
  constexpr std::chrono::milliseconds kLookUpEvery{100};
  std::string text;
  std::array<char, 65536> buffer;
  while (Clock::now() < deadline && !interrupted()) {
    pollfd event{output.get(), POLLIN, 0};
    if (::poll(&event, 1, int(kLookUpEvery.count())) <= 0) continue;
    const ssize_t size = ::read(output.get(), buffer.data(), buffer.size());
    if (size < 0) return std::nullopt;
    if (size == 0) return text;
    text.append(buffer.data(), std::size_t(size));
    if (text.size() > size_bytes_max) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_output(const std::vector<std::string>& command,
                                       std::chrono::milliseconds time_max,
                                       std::size_t size_bytes_max) {
  const auto child = start(command);
  if (!child) return std::nullopt;
  auto text = read_until(child->output, Clock::now() + time_max, size_bytes_max);
  if (!text) ::kill(-child->id, SIGKILL);
  int status = 0;
  while (::waitpid(child->id, &status, 0) < 0 && errno == EINTR) {
  }
  return text && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : std::nullopt;
}

}  // namespace mendel::cli
