#include "cli/agent/task_end.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/local_file.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using Json = nlohmann::json;

constexpr ::mode_t kMode = 0600;

const char* text_of(Ending ending) {
  switch (ending) {
    case Ending::by_itself: return "itself";
    case Ending::by_request: return "request";
    case Ending::by_time: return "time";
  }
  return "";
}

Ending ending_of(const std::string& text) {
  if (text == "request") return Ending::by_request;
  return text == "time" ? Ending::by_time : Ending::by_itself;
}

// "1m2.345s"
double seconds_of(const std::string& text) {
  char* after_minutes = nullptr;
  const double minutes = std::strtod(text.c_str(), &after_minutes);
  if (*after_minutes != 'm') return 0;
  return 60 * minutes + std::strtod(after_minutes + 1, nullptr);
}

}  // namespace

void write_end(const AttemptFiles& files, const TaskEnd& end) {
  const Json document = {{"exit_code", end.command.exit_code},
                         {"signal", end.command.signal},
                         {"wall_seconds", end.command.wall_seconds},
                         {"cpu_seconds", end.command.cpu_seconds},
                         {"peak_memory_bytes", end.command.peak_memory_bytes},
                         {"ended_by", text_of(end.ending)},
                         {"host", end.host}};
  replace_text(files.end(), document.dump() + "\n", kMode);
}

std::optional<TaskEnd> find_end(const AttemptFiles& files) {
  const auto text = find_text(files.end());
  if (!text) return std::nullopt;
  try {
    const Json document = Json::parse(*text);
    TaskEnd end;
    end.command.exit_code = document.at("exit_code").get<int>();
    end.command.signal = document.value("signal", 0);
    end.command.wall_seconds = document.value("wall_seconds", 0.0);
    end.command.cpu_seconds = document.value("cpu_seconds", 0.0);
    end.command.peak_memory_bytes = document.value("peak_memory_bytes", std::uint64_t{0});
    end.ending = ending_of(document.value("ended_by", ""));
    end.host = document.value("host", "");
    if (const auto times = find_text(files.times())) {
      end.command.cpu_seconds = cpu_seconds_of_times(*times);
    }
    return end;
  } catch (const Json::exception& error) {
    fail(ErrorCode::data_loss, "read " + files.end().string(), error);
  }
}

double cpu_seconds_of_times(std::string_view text) {
  std::istringstream words{std::string(text)};
  double seconds = 0;
  for (std::string word; words >> word;) seconds += seconds_of(word);
  return seconds;
}

}  // namespace mendel::cli
