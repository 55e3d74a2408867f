#include "cli/agent/job_log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>

#include "cli/interrupt.h"
#include "cli/local_file.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

constexpr std::chrono::milliseconds kPeriod{1000};

// The server keeps 64 MiB of a job's log, and says so where it ends: one piece more is
// enough to let it know.
constexpr std::uint64_t kSentMax = (64u << 20) + kLogPieceSizeMax;

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Where the server, which may have been set back, wants the log to go on: it refuses what
// would leave a gap.
std::optional<std::uint64_t> wanted_offset(const ServerProblem& problem) {
  const Json errors = problem.document().value("errors", Json::array());
  for (const Json& error : errors) {
    if (text_of(error, "pointer") == "/offset") return number_of(text_of(error, "detail"));
  }
  return std::nullopt;
}

}  // namespace

JobLog::JobLog(const AttemptFiles& files, ServerAccess access, const std::string& job,
               int attempt)
    : files_(files),
      path_(fmt::format("/api/v1/jobs/{}/log?attempt={}&offset=", percent_encode(job),
                        attempt)),
      server_(std::move(access)),
      offset_(number_of(find_text(files_.log_sent()).value_or("0"))),
      thread_([this](std::stop_token stop) { send_until_stopped(stop); }) {}

JobLog::~JobLog() {
  thread_.request_stop();
  thread_.join();
}

void JobLog::say(std::string_view text) {
  try {
    std::string lines;
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      lines += "mendel: " + printable(text.substr(begin, end - begin)) + "\n";
      begin = end + 1;
    }
    const std::string path = files_.log().string();
    const Fd log = open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    write_all(log, path, std::as_bytes(std::span(lines)));
  } catch (const Error&) {
  }
}

void JobLog::flush() { send_all(); }

void JobLog::send_until_stopped(std::stop_token stop) {
  while (!stop.stop_requested() && !interrupted()) {
    try {
      send_all();
    } catch (const Error&) {  // of which the signs of life say more
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kPeriod, [] { return false; });
  }
}

void JobLog::send_all() {
  const std::lock_guard sending(sending_);
  if (!std::filesystem::exists(files_.log())) return;
  const std::string path = files_.log().string();
  const Fd log = open_file(path, O_RDONLY, 0);
  while (offset_ < kSentMax) {
    std::string piece(kLogPieceSizeMax, '\0');
    piece.resize(read_at(log, path, offset_, std::as_writable_bytes(std::span(piece))));
    if (piece.empty()) return;
    const std::size_t size = piece.size();
    try {
      server_.post_bytes(path_ + std::to_string(offset_), "text/plain", std::move(piece));
      offset_ += size;
    } catch (const ServerProblem& problem) {
      const auto wanted = wanted_offset(problem);
      if (!wanted || *wanted >= offset_) throw;
      offset_ = *wanted;
    }
    replace_text(files_.log_sent(), std::to_string(offset_), 0600);
  }
}

}  // namespace mendel::cli
