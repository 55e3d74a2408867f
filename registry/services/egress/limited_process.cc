// Between fork and exec only async-signal-safe functions are called: other threads may have
// held any lock at the fork.

#include "registry/services/egress/limited_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>

#include "storage/base/error.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"
#include "storage/base/process.h"

namespace mendel::registry {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kComplaintsSizeMax = 4096;
constexpr std::chrono::milliseconds kCancelPeriod{100};
constexpr rlim_t kOpenFilesMax = 256;
constexpr unsigned kNobody = 65534;
constexpr int kNotStarted = 127;

struct PreparedChild {
  const LimitedCommand& command;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  LimitedUser user;
  int input;
  int output;
  int complaints;
  int failure;  // takes errno when something fails before the program runs
  pid_t parent;
};

bool limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  return setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

bool set_limits(const LimitedCommand& command) {
  return limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, kOpenFilesMax) &&
         limit(RLIMIT_CPU, static_cast<rlim_t>(command.cpu_time_max.count())) &&
         limit(RLIMIT_AS, command.memory_size_bytes_max) &&
         limit(RLIMIT_FSIZE, command.file_size_bytes_max);
}

bool drop_privileges(const LimitedUser& user) {
  if (geteuid() == 0 &&
      (setgroups(0, nullptr) != 0 || setresgid(user.gid, user.gid, user.gid) != 0 ||
       setresuid(user.uid, user.uid, user.uid) != 0)) {
    return false;
  }
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// The death signal comes after the change of user, which clears it.
bool follow_parent(pid_t parent) {
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

[[noreturn]] void run_in_child(const PreparedChild& child) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  umask(077);
  setsid();
  const bool ready =
      dup2(child.input, STDIN_FILENO) >= 0 && dup2(child.output, STDOUT_FILENO) >= 0 &&
      dup2(child.complaints, STDERR_FILENO) >= 0 &&
      close_range(3, std::numeric_limits<unsigned>::max(), CLOSE_RANGE_CLOEXEC) == 0 &&
      set_limits(child.command) && drop_privileges(child.user) &&
      chdir(child.command.directory.c_str()) == 0 && follow_parent(child.parent);
  if (ready) execve(child.arguments[0], child.arguments.data(), child.environment.data());
  const int error_number = errno;
  [[maybe_unused]] const auto written =
      write(child.failure, &error_number, sizeof error_number);
  _exit(kNotStarted);
}

// A started program. Its process group is gone when this is.
class Child {
 public:
  explicit Child(pid_t pid)
      : pid_(pid), handle_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (reaped_) return;
    kill(pid_, SIGKILL);
    reap();
  }

  // nullopt: it has not ended in that time.
  std::optional<int> wait_for(std::chrono::milliseconds time) {
    pollfd ended{handle_.get(), POLLIN, 0};
    if (poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(time.count(), 0))) <= 0)
      return std::nullopt;
    return reap();
  }

 private:
  // Until it is waited for, its number cannot be another group's.
  int reap() {
    kill(-pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  pid_t pid_;
  Fd handle_;
  bool reaped_ = false;
};

std::chrono::milliseconds time_until(SteadyClock::time_point deadline) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
}

Error took_too_long(const std::string& program) {
  return {ErrorCode::deadline_exceeded, program + " took too long"};
}

struct Stream {
  int file;
  std::string* text;
  std::size_t size_max;
  bool cut;  // what is beyond size_max is dropped, not an error
};

// false: it has ended.
bool read_some(const Stream& stream, const std::string& program) {
  std::array<char, 16384> buffer;
  const ssize_t count = read(stream.file, buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;
  const auto room = stream.size_max - stream.text->size();
  const auto size = static_cast<std::size_t>(count);
  if (size > room && !stream.cut)
    throw Error(ErrorCode::too_large, program + " printed more than it may");
  stream.text->append(buffer.data(), std::min(size, room));
  return true;
}

void read_all(std::array<Stream, 2> streams, SteadyClock::time_point deadline,
              const LimitedCommand& command) {
  const std::string& program = command.arguments[0];
  std::array<pollfd, 2> waiting{pollfd{streams[0].file, POLLIN, 0},
                                pollfd{streams[1].file, POLLIN, 0}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const auto left = time_until(deadline);
    if (left.count() <= 0) throw took_too_long(program);
    if (command.cancelled != nullptr && *command.cancelled)
      throw Error(ErrorCode::cancelled, program + " was stopped");
    const auto pause = std::min(left, kCancelPeriod);
    if (poll(waiting.data(), waiting.size(), static_cast<int>(pause.count())) < 0 &&
        errno != EINTR) {
      throw_posix_error("wait for", program, errno);
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      if (!read_some(streams[i], program)) waiting[i].fd = -1;
    }
  }
}

}  // namespace

LimitedUser limited_user() {
  if (geteuid() != 0) return {geteuid(), getegid()};
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r("nobody", &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return {kNobody, kNobody};
  return {entry.pw_uid, entry.pw_gid};
}

ProcessOutcome run_limited(const LimitedCommand& command) {
  const auto deadline = SteadyClock::now() + command.time_max;
  const std::string& program = command.arguments.at(0);
  const Fd nothing = open_file("/dev/null", O_RDONLY, 0);
  Pipe output = make_pipe();
  Pipe complaints = make_pipe();
  Pipe failure = make_pipe();
  const PreparedChild prepared{command,
                               pointers_to(command.arguments),
                               pointers_to(command.environment),
                               limited_user(),
                               nothing.get(),
                               output.writer.get(),
                               complaints.writer.get(),
                               failure.writer.get(),
                               getpid()};
  const pid_t pid = fork();
  if (pid < 0) throw_posix_error("fork for", program, errno);
  if (pid == 0) run_in_child(prepared);
  Child child(pid);
  output.writer = Fd();
  complaints.writer = Fd();
  failure.writer = Fd();

  int error_number = 0;
  ssize_t count = 0;
  do {
    count = read(failure.reader.get(), &error_number, sizeof error_number);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof error_number) {
    if (error_number == ENOENT)
      throw Error(ErrorCode::unavailable, "cannot run " + program + ": it is not there");
    throw_posix_error("run", program, error_number);
  }

  ProcessOutcome outcome;
  read_all({Stream{output.reader.get(), &outcome.output, command.output_size_max, false},
            Stream{complaints.reader.get(), &outcome.complaints, kComplaintsSizeMax, true}},
           deadline, command);
  const auto exit_status = child.wait_for(time_until(deadline));
  if (!exit_status) throw took_too_long(program);
  outcome.exit_status = *exit_status;
  return outcome;
}

}  // namespace mendel::registry
