#include "cli/job_follow.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string_view>

#include "cli/interrupt.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

constexpr std::chrono::milliseconds kPeriod{1000};
constexpr std::array<std::string_view, 4> kEnds = {"succeeded", "failed", "cancelled",
                                                   "lost"};

void write_out(const std::string& bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

// What is asked again and again may be asked once more when the server was away.
template <typename T>
std::optional<T> unless_away(const std::function<T()>& question) {
  try {
    return question();
  } catch (const Error& error) {
    throw_if_interrupted();
    if (!is_transient(error.code())) throw;
    return std::nullopt;
  }
}

// One attempt's log from an offset on, as far as there is any now.
struct Piece {
  std::string bytes;
  bool is_last = false;
};

Piece get_piece(ApiClient& server, const std::string& id, int attempt,
                std::uint64_t offset) {
  const HttpAnswer answer = server.get_bytes(
      fmt::format("{}/log?attempt={}&offset={}", job_path(id), attempt, offset));
  return {answer.body, answer.find_header("mendel-log-end").value_or("") == "true"};
}

}  // namespace

std::string job_path(const std::string& id) { return "/api/v1/jobs/" + percent_encode(id); }

bool has_ended(const Json& job) {
  return std::ranges::find(kEnds, text_of(job, "state")) != kEnds.end();
}

// A job that is tried again goes on with the log of its next attempt.
void print_job_log(ApiClient& server, const std::string& id, const LogOptions& options) {
  int attempt = options.attempt;
  if (attempt == 0) attempt = server.get(job_path(id)).value("attempt", 0);
  for (std::uint64_t offset = 0;;) {
    const auto piece = unless_away<Piece>([&]() -> Piece {
      if (attempt == 0) return {};
      return get_piece(server, id, attempt, offset);
    });
    if (piece && !piece->bytes.empty()) {
      write_out(piece->bytes);
      offset += piece->bytes.size();
      continue;
    }
    if (!options.follow || (piece && piece->is_last)) return;
    const auto job = unless_away<Json>([&] { return server.get(job_path(id)); });
    const int newest = job && !options.attempt ? job->value("attempt", 0) : attempt;
    if (newest > attempt) {
      attempt = newest;
      offset = 0;
    } else if (attempt == 0 && job && has_ended(*job)) {
      return;  // it never began
    } else {
      sleep_unless_interrupted(kPeriod);
    }
  }
}

void wait_for_job(ApiClient& server, const std::string& id, const GlobalOptions& global) {
  for (;;) {
    const auto job = unless_away<Json>([&] { return server.get(job_path(id)); });
    if (job && has_ended(*job)) {
      const std::string state = text_of(*job, "state");
      const std::string version = text_of(*job, "version");
      if (global.json) {
        print_json(*job);
      } else {
        fmt::print("{} is {}{}\n", id, state, version.empty() ? "" : ": " + version);
      }
      if (state != "succeeded") throw CLI::RuntimeError(1);
      return;
    }
    sleep_unless_interrupted(kPeriod);
  }
}

}  // namespace mendel::cli
