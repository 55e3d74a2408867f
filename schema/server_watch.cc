#include "schema/server_watch.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "storage/base/fd.h"

namespace mendel::schema {

namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kLookEvery = 500ms;
constexpr auto kPatience = 5s;

}  // namespace

struct ServerWatch::State {
  struct Waiting {
    SteadyClock::time_point since;
    Fd socket{};  // a duplicate, so that its number means nothing else after a close
  };

  void run(std::stop_token stop);
  bool somebody_waits_long();
  void end_waits();

  std::string url;
  std::atomic<bool> answers{true};
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::map<const Wait*, Waiting> waits;
  std::jthread thread;
};

void ServerWatch::State::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    if (!answers || somebody_waits_long()) {
      // A server that turns us away (it starts, it stops, it is full) does answer.
      answers = PQping(url.c_str()) != PQPING_NO_RESPONSE;
      if (!answers) end_waits();
    }
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

bool ServerWatch::State::somebody_waits_long() {
  const auto long_ago = SteadyClock::now() - kPatience;
  const std::lock_guard lock(mutex);
  for (const auto& [wait, waiting] : waits) {
    if (waiting.since < long_ago) return true;
  }
  return false;
}

void ServerWatch::State::end_waits() {
  const std::lock_guard lock(mutex);
  for (const auto& [wait, waiting] : waits) {
    if (waiting.socket) shutdown(waiting.socket.get(), SHUT_RDWR);
  }
}

ServerWatch::ServerWatch(std::string url) : state_(std::make_unique<State>()) {
  state_->url = std::move(url);
  state_->thread =
      std::jthread([state = state_.get()](std::stop_token stop) { state->run(stop); });
}

ServerWatch::~ServerWatch() { state_->thread = std::jthread(); }

bool ServerWatch::server_answers() const { return state_->answers; }

ServerWatch::Wait::Wait(ServerWatch& watch) : watch_(watch) {
  const std::lock_guard lock(watch_.state_->mutex);
  watch_.state_->waits.emplace(this, State::Waiting{SteadyClock::now()});
}

ServerWatch::Wait::~Wait() {
  const std::lock_guard lock(watch_.state_->mutex);
  watch_.state_->waits.erase(this);
}

void ServerWatch::Wait::is_on(int socket) {
  const std::lock_guard lock(watch_.state_->mutex);
  watch_.state_->waits.at(this).socket = Fd(fcntl(socket, F_DUPFD_CLOEXEC, 0));
}

}  // namespace mendel::schema
