#include "cli/agent/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "cli/agent/process_tree.h"
#include "cli/agent/task_end.h"
#include "cli/local_file.h"
#include "cli/process_environment.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery{1000};
constexpr std::chrono::milliseconds kLookWhileEnding{50};
constexpr std::size_t kReserveSize = 16384;
constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

double seconds(const timeval& time) {
  return double(time.tv_sec) + double(time.tv_usec) * 1e-6;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// One command, from its start to the end of its last process.
class Supervision {
 public:
  Supervision(const AttemptFiles& files, const std::vector<std::string>& command,
              std::optional<std::chrono::seconds> time_max)
      : files_(files), arguments_(pointers_to(command)), time_max_(time_max) {
    sigemptyset(&held_);
    for (const int number : kSignals) sigaddset(&held_, number);
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  TaskEnd run() {
    reserve_room();
    begin_ = Clock::now();
    open_file(files_.begin(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    start();
    while (reap()) look_after();
    finish();
    return end_;
  }

 private:
  void start() {
    pid_ = ::fork();
    if (pid_ < 0) throw_posix_error("fork for", arguments_.front(), errno);
    if (pid_ > 0) return;
    ::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGPIPE}) std::signal(number, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    become(arguments_, pointers_to(environment_with({})));
  }

  // False once there are no processes left.
  bool reap() {
    for (;;) {
      int status = 0;
      const ::pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended == 0) return true;
      if (ended < 0 && errno == EINTR) continue;
      if (ended < 0) return false;
      if (ended != pid_) continue;
      has_ended_ = true;
      end_.command.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
      end_.command.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      end_.command.wall_seconds =
          std::chrono::duration<double>(Clock::now() - begin_).count();
    }
  }

  void look_after() {
    if (has_ended_) stop(Ending::by_itself);
    if (time_max_ && Clock::now() - begin_ > *time_max_) stop(Ending::by_time);
    if (kill_at_ && Clock::now() > *kill_at_) send_to_all(SIGKILL);
    wait_for_signal();
  }

  void wait_for_signal() {
    auto pause = kill_at_ ? kLookWhileEnding : kLookEvery;
    if (time_max_ && !kill_at_) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(begin_ + *time_max_ - Clock::now());
      pause = std::clamp(left, kLookWhileEnding, kLookEvery);
    }
    const timespec time{pause.count() / 1000, (pause.count() % 1000) * 1'000'000};
    const int number = ::sigtimedwait(&held_, nullptr, &time);
    if (number > 0 && number != SIGCHLD) stop(Ending::by_request);
  }

  void stop(Ending why) {
    if (kill_at_) return;
    if (!has_ended_) end_.ending = why;
    kill_at_ = Clock::now() + kTermGrace;
    send_to_all(SIGTERM);
  }

  void send_to_all(int signal) {
    for (const ::pid_t pid : descendants_of(::getpid())) ::kill(pid, signal);
  }

  // Even where the command fills the disk it is to be told how it ended.
  void reserve_room() const {
    replace_text(reserve(), std::string(kReserveSize, ' '), 0600);
  }
  std::string reserve() const { return files_.end().string() + ".room"; }

  void finish() {
    ::unlink(reserve().c_str());
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    end_.command.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    end_.command.peak_memory_bytes = std::uint64_t(usage.ru_maxrss) * 1024;
    end_.host = host_name();
  }

  const AttemptFiles files_;
  const std::vector<char*> arguments_;
  const std::optional<std::chrono::seconds> time_max_;
  sigset_t held_;
  sigset_t before_;
  Clock::time_point begin_;
  ::pid_t pid_ = 0;
  bool has_ended_ = false;
  std::optional<Clock::time_point> kill_at_;
  TaskEnd end_;
};

void stand_in_for_the_command(const AttemptFiles& files) {
  const Fd nothing = open_file("/dev/null", O_RDONLY, 0);
  const Fd log = open_file(files.log(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(nothing.get(), STDIN_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::dup2(log.get(), STDERR_FILENO);
  if (::chdir(files.source().c_str()) != 0) {
    throw_posix_error("enter", files.source().string(), errno);
  }
}

// Does not return.
void supervise(const AttemptFiles& files, const std::vector<std::string>& command,
               std::optional<std::chrono::seconds> time_max) {
  try {
    write_end(files, Supervision(files, command, time_max).run());
    ::_exit(0);
  } catch (const std::exception& error) {
    const std::string text = "mendel: " + std::string(error.what()) + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(1);
  }
}

}  // namespace

void start_supervisor(const AttemptFiles& files, const std::vector<std::string>& command,
                      std::optional<std::chrono::seconds> time_max) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_posix_error("open a pipe to", "itself", errno);
  const Fd answer(ends[0]);
  Fd say(ends[1]);
  const ::pid_t child = ::fork();
  if (child < 0) throw_posix_error("fork for", command.front(), errno);
  if (child == 0) {
    ::setsid();
    stand_in_for_the_command(files);
    const char claimed =
        claim_supervision(files, ProcessIdentity::of_this_process().text()) ? '1' : '0';
    [[maybe_unused]] const auto written = ::write(say.get(), &claimed, 1);
    if (claimed == '0') ::_exit(0);
    supervise(files, command, time_max);
  }
  say = Fd();
  char claimed = 0;
  if (::read(answer.get(), &claimed, 1) != 1) {
    throw Error(ErrorCode::internal, "the supervisor could not be started");
  }
  if (claimed == '0') {
    throw Error(ErrorCode::already_exists, "this attempt has a supervisor already");
  }
}

// link() fails where the name exists, and what it makes is complete.
bool claim_supervision(const AttemptFiles& files, const std::string& text) {
  const std::string temporary =
      files.supervisor().string() + "." + std::to_string(::getpid());
  replace_text(temporary, text, 0600);
  const int result = ::link(temporary.c_str(), files.supervisor().c_str());
  const int error_number = errno;
  ::unlink(temporary.c_str());
  if (result == 0) return true;
  if (error_number == EEXIST) return false;
  throw_posix_error("make", files.supervisor().string(), error_number);
}

}  // namespace mendel::cli
