#include "cli/supervised_command.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kHeld[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                         SIGUSR2, SIGTSTP, SIGCONT, SIGCHLD};

double seconds(const timeval& time) {
  return double(time.tv_sec) + double(time.tv_usec) * 1e-6;
}

bool is_ignored(int number) {
  struct sigaction action;
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int number : kHeld) sigaddset(&held_, number);
  ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

// What came too late for the command was meant for it all the same.
HeldSignals::~HeldSignals() {
  const timespec no_wait{};
  while (::sigtimedwait(&held_, nullptr, &no_wait) > 0 || errno == EINTR) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

SupervisedCommand::SupervisedCommand(const HeldSignals& signals,
                                     const std::vector<std::string>& arguments,
                                     const Variables& variables)
    : signals_(signals), begin_(Clock::now()) {
  const auto environment = environment_with(variables);
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);
  pid_ = ::fork();
  if (pid_ < 0) throw_posix_error("fork for", arguments.front(), errno);
  if (pid_ > 0) return;

  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) std::signal(number, SIG_DFL);
  ::pthread_sigmask(SIG_SETMASK, &signals.before(), nullptr);
  become(argument_pointers, environment_pointers);
}

CommandEnd SupervisedCommand::wait(const std::function<void()>& on_continue) {
  for (;;) {
    int status = 0;
    rusage usage{};
    const ::pid_t ended = ::wait4(pid_, &status, WNOHANG, &usage);
    if (ended < 0 && errno != EINTR) throw_posix_error("wait for", "the command", errno);
    if (ended == pid_) {
      CommandEnd end;
      end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
      end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      end.wall_seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
      end.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
      end.peak_memory_bytes = std::uint64_t(usage.ru_maxrss) * 1024;
      return end;
    }
    siginfo_t signal;
    if (::sigwaitinfo(&signals_.held(), &signal) > 0) pass_on(signal, on_continue);
  }
}

void SupervisedCommand::pass_on(const siginfo_t& signal,
                                const std::function<void()>& on_continue) {
  if (signal.si_signo == SIGCHLD) return;
  const bool came_from_terminal = signal.si_code == SI_KERNEL;
  if (!came_from_terminal || signal.si_signo == SIGCONT) ::kill(pid_, signal.si_signo);
  if (signal.si_signo == SIGTSTP && !is_ignored(SIGTSTP)) {
    ::kill(::getpid(), SIGSTOP);
    ::kill(pid_, SIGCONT);
  }
  if (signal.si_signo == SIGCONT) on_continue();
}

}  // namespace mendel::cli
