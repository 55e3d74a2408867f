#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <optional>

#include "cli/interrupt.h"
#include "cli/metric_points.h"
#include "cli/output.h"
#include "cli/repeated_option.h"
#include "cli/run_commands.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{1000};  // of a point, for more to go with it

struct LogOptions {
  RecordOptions record;
  std::vector<std::string> metrics;
  std::optional<std::int64_t> step;
  std::string time;
};

// Records points, many at once, and counts what became of them.
class PointLog {
 public:
  PointLog(RunRecorder& recorder, std::string run)
      : recorder_(recorder), run_(std::move(run)) {}

  void add(Json point) {
    if (points_.empty()) deadline_ = Clock::now() + kPatience;
    points_.push_back(std::move(point));
    if (points_.size() == kPointsPerRequestMax) flush();
  }

  void flush() {
    if (points_.empty()) return;
    const Json answer = recorder_.log(run_, points_);
    accepted_ += answer.value("accepted", std::uint64_t{0});
    duplicates_ += answer.value("duplicates", std::uint64_t{0});
    points_.clear();
  }

  // How long the points that wait may still do so; nullopt: there are none.
  std::optional<std::chrono::milliseconds> patience() const {
    if (points_.empty()) return std::nullopt;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

  Json counts() const { return {{"accepted", accepted_}, {"duplicates", duplicates_}}; }

 private:
  RunRecorder& recorder_;
  const std::string run_;
  std::vector<Json> points_;
  Clock::time_point deadline_;
  std::uint64_t accepted_ = 0;
  std::uint64_t duplicates_ = 0;
};

// Standard input, as it comes: a training may write a line a minute.
class Lines {
 public:
  void log_all(PointLog& log) {
    while (read_some(log)) {
      for (auto end = text_.find('\n'); end != text_.npos; end = text_.find('\n')) {
        add_line(log, std::string_view(text_).substr(0, end));
        text_.erase(0, end + 1);
      }
      if (text_.size() > kPointSizeMax) fail_at_line("a point has at most 4096 bytes");
    }
    add_line(log, text_);
    log.flush();
  }

 private:
  // False at the end.
  bool read_some(PointLog& log) {
    if (const auto patience = log.patience(); patience && !has_more(*patience)) log.flush();
    throw_if_interrupted();
    char buffer[kPointSizeMax];
    const ::ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) return true;
    if (count < 0) throw_posix_error("read", "standard input", errno);
    text_.append(buffer, std::size_t(count));
    return count > 0;
  }

  static bool has_more(std::chrono::milliseconds patience) {
    ::pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, int(patience.count())) != 0;
  }

  void add_line(PointLog& log, std::string_view line) {
    ++number_;
    if (line.find_first_not_of(" \t\r") == line.npos) return;
    try {
      log.add(parse_metric_point(line));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
      log.flush();
      fail_at_line(error.what());
    }
  }

  [[noreturn]] void fail_at_line(const std::string& rule) const {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("line {}: {}; what came before it is recorded", number_, rule));
  }

  std::string text_;
  std::uint64_t number_ = 0;
};

void run_log(const LogOptions& options, const GlobalOptions& global) {
  const std::string run = chosen_run(options.record.run);
  if (options.metrics.empty() != !options.step) {
    throw Error(ErrorCode::invalid_argument, "--metric and --step go together");
  }
  std::vector<Json> points;
  for (const std::string& metric : options.metrics) {
    points.push_back(metric_point(metric, *options.step, options.time));
  }
  const auto recorder = open_recorder(options.record.journal, global);
  PointLog log(*recorder, run);
  for (Json& point : points) log.add(std::move(point));
  if (points.empty()) Lines().log_all(log);
  log.flush();
  if (global.json) print_json(log.counts());
}

}  // namespace

void declare_run_log(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("log", "record metrics of a run");
  command->footer(R"(
A point is a metric, a step (a whole number) and a value, which may be nan, inf and -inf. What is
sent again is recorded once: the same metric, step and value, and the same time where one is given.

Without --metric, points are read from standard input, one JSON object a line, and sent in bulk,
at the latest a second after they came:
  {"name": "loss", "step": 100, "value": 0.12}
  {"name": "loss", "step": 101, "value": "NaN", "time": "2024-02-13T00:00:00Z"}

Examples:
  mendel run log --metric loss=0.12 --metric chi2_ndf=2.4 --step 100
  ./train --metrics-to /dev/stdout | mendel run log --run 0190a5e0-…)");
  auto options = std::make_shared<LogOptions>();
  add_repeated(*command, "--metric", options->metrics,
               "a number at this step; may be repeated")
      ->type_name("NAME=VALUE");
  command->add_option("--step", options->step, "the step of the metrics")->type_name("N");
  command
      ->add_option("--time", options->time,
                   "when it was (RFC 3339), otherwise as it arrives")
      ->type_name("TIME");
  declare_record_options(*command, options->record);
  command->callback([options, &global] { run_log(*options, global); });
}

}  // namespace mendel::cli
