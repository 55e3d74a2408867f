#include "cli/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "cli/interrupt.h"
#include "cli/process_environment.h"
#include "storage/base/error.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"
#include "storage/base/process.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMs = 100;

pid_t start(const std::vector<std::string>& command,
            const std::vector<std::string>& environment, int output, int complaints) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
  pid_t process = 0;
  const auto arguments = pointers_to(command);
  const auto variables = pointers_to(environment);
  const int failure = ::posix_spawnp(&process, arguments.front(), &actions, nullptr,
                                     arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("there is no {} here: install it, and try again", command.front()));
  }
  if (failure != 0) {
    throw Error(ErrorCode::internal, fmt::format("cannot start {}: {}", command.front(),
                                                 std::strerror(failure)));
  }
  return process;
}

// Reads both pipes to their ends; false: the deadline came first. An interrupt reaches the
// program as well, by the terminal.
bool collect(const std::array<int, 2>& pipes, const std::array<std::string*, 2>& texts,
             Clock::time_point deadline) {
  std::array<pollfd, 2> waiting{pollfd{pipes[0], POLLIN, 0}, pollfd{pipes[1], POLLIN, 0}};
  std::array<char, 65536> buffer;
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    throw_if_interrupted();
    if (Clock::now() > deadline) return false;
    if (::poll(waiting.data(), waiting.size(), kPollMs) < 0 && errno != EINTR) {
      throw_posix_error("wait for", "a program", errno);
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].fd < 0 || (waiting[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      const ssize_t count = ::read(waiting[i].fd, buffer.data(), buffer.size());
      if (count <= 0) {
        waiting[i].fd = -1;
      } else if (texts[i]->size() < kProgramOutputSizeMax) {
        texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      }
    }
  }
  return true;
}

}  // namespace

bool ProgramOutcome::succeeded() const {
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string ProgramOutcome::complaint() const {
  return complaints.substr(0, complaints.find_last_not_of('\n') + 1);
}

ProgramOutcome run_program(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment,
                           std::optional<std::chrono::milliseconds> time_max) {
  const auto deadline = time_max ? Clock::now() + *time_max : Clock::time_point::max();
  Pipe output = make_pipe();
  Pipe complaints = make_pipe();
  const pid_t process =
      start(command, environment, output.writer.get(), complaints.writer.get());
  output.writer = Fd();
  complaints.writer = Fd();
  ProgramOutcome outcome;
  const bool is_in_time = collect({output.reader.get(), complaints.reader.get()},
                                  {&outcome.output, &outcome.complaints}, deadline);
  if (!is_in_time) ::kill(process, SIGKILL);
  while (::waitpid(process, &outcome.status, 0) < 0 && errno == EINTR) {
  }
  if (!is_in_time) {
    throw Error(ErrorCode::deadline_exceeded, command.front() + " takes too long");
  }
  return outcome;
}

}  // namespace mendel::cli
