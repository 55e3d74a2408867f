#include "schema/private_server.h"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "schema/postgres_cluster.h"
#include "storage/base/error.h"

namespace mendel::schema {

namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kReadyPoll = 5ms;
constexpr auto kReadyWaitMax =
    10min;  // redoing what the log holds after a crash takes time
constexpr int kFirstStartAttempts = 3;
constexpr std::chrono::milliseconds kRestartPauseFirst = 50ms;
constexpr std::chrono::milliseconds kRestartPauseMax = 10s;
// One that lives that long does start: what ended it came from outside.
constexpr auto kLivedLong = 1s;

struct StopStep {
  int signal;
  std::chrono::seconds patience;
};
// PostgreSQL's fast shutdown, its immediate one, and none.
constexpr std::array kStopSteps{StopStep{SIGINT, 60s}, StopStep{SIGQUIT, 10s},
                                StopStep{SIGKILL, 10s}};

// Clients that come before it is ready, or while it stops, are told so and try again.
bool is_grave(std::string_view line) {
  if (line.starts_with("FATAL:  the database system is ")) return false;
  return line.starts_with("FATAL:") || line.starts_with("PANIC:");
}

// Waits for the end of a child but leaves its process id taken.
void wait_without_reaping(pid_t pid) {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
}

}  // namespace

class PrivateServer::Cluster : public PostgresCluster {
 public:
  using PostgresCluster::PostgresCluster;
};

// Two threads: one starts the server, waits for its end and starts it again; the other
// hands on what the server writes to its standard error.
class PrivateServer::Supervisor {
 public:
  explicit Supervisor(const Cluster& cluster)
      : cluster_(cluster),
        log_(make_pipe()),
        end_of_log_(make_pipe()),
        relay_([this] { relay_log(); }),
        keeper_([this] { keep_running(); }) {}

  ~Supervisor() { stop(); }

  void wait_until_ready();
  void stop();

 private:
  void keep_running();
  void run_once();
  void relay_log();
  void relay_line(const std::string& line);

  const Cluster& cluster_;
  Pipe log_;
  Pipe end_of_log_;

  std::mutex mutex_;
  std::condition_variable changed_;
  pid_t server_ = 0;  // 0 while it does not run
  int ends_ = 0;
  bool stopping_ = false;
  std::string last_failure_;

  std::thread relay_;
  std::thread keeper_;
};

void PrivateServer::Supervisor::wait_until_ready() {
  const auto deadline = SteadyClock::now() + kReadyWaitMax;
  std::unique_lock lock(mutex_);
  while (server_ == 0 || !cluster_.is_ready(server_)) {
    if (ends_ >= kFirstStartAttempts || SteadyClock::now() > deadline) {
      throw Error(ErrorCode::unavailable,
                  "the private PostgreSQL does not start: " + last_failure_);
    }
    changed_.wait_for(lock, kReadyPoll);
  }
}

void PrivateServer::Supervisor::keep_running() {
  auto pause = kRestartPauseFirst;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto started_at = SteadyClock::now();
    try {
      run_once();
    } catch (const std::exception& error) {
      spdlog::error("the private PostgreSQL cannot be started: {}", error.what());
      const std::scoped_lock relock(mutex_);
      last_failure_ = error.what();
      ++ends_;
    }
    if (SteadyClock::now() - started_at > kLivedLong) pause = kRestartPauseFirst;
    lock.lock();
    changed_.wait_for(lock, pause, [this] { return stopping_; });
    pause = std::min(2 * pause, kRestartPauseMax);
  }
}

void PrivateServer::Supervisor::run_once() {
  cluster_.end_processes();
  pid_t server = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    server = server_ = start(cluster_.server(log_.writer.get()));
  }
  changed_.notify_all();
  wait_without_reaping(server);

  const std::scoped_lock lock(mutex_);
  int status = 0;
  waitpid(server, &status, 0);
  server_ = 0;
  ++ends_;
  changed_.notify_all();
  if (stopping_) return;
  if (last_failure_.empty()) last_failure_ = describe_wait_status(status);
  spdlog::error("the private PostgreSQL ended with {}", describe_wait_status(status));
}

void PrivateServer::Supervisor::relay_log() {
  std::string unfinished;
  std::array<char, 4096> buffer;
  std::array<pollfd, 2> files{
      {{log_.reader.get(), POLLIN, 0}, {end_of_log_.reader.get(), 0, 0}}};
  for (;;) {
    if (poll(files.data(), files.size(), -1) < 0) continue;
    if ((files[0].revents & POLLIN) == 0) return;
    const ssize_t count = read(log_.reader.get(), buffer.data(), buffer.size());
    if (count <= 0) continue;
    unfinished.append(buffer.data(), static_cast<std::size_t>(count));
    for (auto end = unfinished.find('\n'); end != std::string::npos;
         end = unfinished.find('\n')) {
      relay_line(unfinished.substr(0, end));
      unfinished.erase(0, end + 1);
    }
  }
}

void PrivateServer::Supervisor::relay_line(const std::string& line) {
  const bool grave = is_grave(line);
  spdlog::log(grave ? spdlog::level::warn : spdlog::level::debug, "postgres: {}", line);
  if (!grave) return;
  const std::scoped_lock lock(mutex_);
  last_failure_ = line;
}

void PrivateServer::Supervisor::stop() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    for (const auto& [signal, patience] : kStopSteps) {
      if (server_ != 0) kill(server_, signal);
      if (changed_.wait_for(lock, patience, [this] { return server_ == 0; })) break;
    }
  }
  if (keeper_.joinable()) keeper_.join();
  end_of_log_.writer = Fd{};
  if (relay_.joinable()) relay_.join();
}

PrivateServer::PrivateServer(const std::filesystem::path& directory,
                             const std::string& system_user)
    : cluster_(std::make_unique<Cluster>(directory, system_user)),
      supervisor_(std::make_unique<Supervisor>(*cluster_)) {
  supervisor_->wait_until_ready();
}

PrivateServer::~PrivateServer() = default;

std::string PrivateServer::url() const { return cluster_->url(); }

void PrivateServer::stop() { supervisor_->stop(); }

}  // namespace mendel::schema
