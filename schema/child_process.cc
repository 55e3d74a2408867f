// Between fork and exec only async-signal-safe functions are called: other threads may have
// held any lock at the fork.

#include "schema/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "storage/base/error.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"

namespace mendel::schema {

namespace {

constexpr std::size_t kPasswordEntrySizeMax = 64 * 1024;

const std::vector<std::string> kEnvironment{"PATH=/usr/local/bin:/usr/bin:/bin",
                                            "LC_ALL=C.UTF-8", "TZ=UTC"};

SystemUser with_groups(const passwd& entry) {
  SystemUser user{entry.pw_uid, entry.pw_gid, {}};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<std::size_t>(count));
    getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

struct PreparedChild {
  const Command& command;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int input;
  int output;
  int failure;  // takes errno when something fails before the program runs
  pid_t parent;
};

bool become(const SystemUser& user) {
  return setgroups(user.groups.size(), user.groups.data()) == 0 &&
         setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

bool arrange_files(const PreparedChild& child) {
  if (close_range(3, std::numeric_limits<unsigned>::max(), CLOSE_RANGE_CLOEXEC) != 0) {
    return false;
  }
  for (const int file : child.command.inherited_files) {
    if (fcntl(file, F_SETFD, 0) != 0) return false;
  }
  return dup2(child.input, STDIN_FILENO) >= 0 && dup2(child.output, STDOUT_FILENO) >= 0 &&
         dup2(child.output, STDERR_FILENO) >= 0;
}

// prctl comes after the change of user, which clears the death signal.
bool follow_parent(const PreparedChild& child) {
  return prctl(PR_SET_PDEATHSIG, child.command.signal_when_parent_dies) == 0 &&
         getppid() == child.parent;
}

[[noreturn]] void run_in_child(const PreparedChild& child) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  umask(077);
  setsid();

  const bool ready = arrange_files(child) &&
                     (!child.command.user || become(*child.command.user)) &&
                     follow_parent(child);
  if (ready) execve(child.arguments[0], child.arguments.data(), child.environment.data());
  const int error_number = errno;
  [[maybe_unused]] const auto written =
      write(child.failure, &error_number, sizeof error_number);
  _exit(127);
}

std::string read_to_end(int file) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

SystemUser get_system_user(const std::string& name) {
  std::vector<char> buffer(kPasswordEntrySizeMax);
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) throw Error(ErrorCode::not_found, "there is no user " + name);
  return with_groups(entry);
}

SystemUser get_system_user(uid_t uid) {
  std::vector<char> buffer(kPasswordEntrySizeMax);
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    throw Error(ErrorCode::not_found, "there is no user with id " + std::to_string(uid));
  }
  return with_groups(entry);
}

pid_t start(const Command& command) {
  const Fd nothing = open_file("/dev/null", O_RDWR, 0);
  Pipe failure = make_pipe();
  Pipe input = make_pipe();
  if (write(input.writer.get(), command.input.data(), command.input.size()) !=
      static_cast<ssize_t>(command.input.size())) {
    throw_posix_error("feed", command.arguments[0], errno);
  }
  input.writer = Fd{};

  const PreparedChild child{command,
                            pointers_to(command.arguments),
                            pointers_to(kEnvironment),
                            input.reader.get(),
                            command.output.value_or(nothing.get()),
                            failure.writer.get(),
                            getpid()};
  const pid_t pid = fork();
  if (pid < 0) throw_posix_error("fork for", command.arguments[0], errno);
  if (pid == 0) run_in_child(child);

  failure.writer = Fd{};
  int error_number = 0;
  ssize_t count = 0;
  do {
    count = read(failure.reader.get(), &error_number, sizeof error_number);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof error_number) {
    wait_for(pid);
    throw_posix_error("run", command.arguments[0], error_number);
  }
  return pid;
}

std::string run(Command command) {
  Pipe output = make_pipe();
  command.output = output.writer.get();
  const pid_t pid = start(command);
  output.writer = Fd{};

  std::string text = read_to_end(output.reader.get());
  const int status = wait_for(pid);
  if (status != 0) {
    throw Error(ErrorCode::internal, command.arguments[0] + " failed with " +
                                         describe_wait_status(status) + ": " + text);
  }
  return text;
}

std::string describe_wait_status(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace mendel::schema
