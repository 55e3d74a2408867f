#include "cli/pull_state.h"

#include <nlohmann/json.hpp>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr std::int64_t kClockTickMax_ns = 20'000'000;
constexpr std::int64_t kSecond_ns = 1'000'000'000;

Json encode(const std::string& path, const PulledEntry& entry) {
  if (!entry.link.empty()) return {{"path", path}, {"link", entry.link}};
  if (entry.is_directory()) return {{"path", path}, {"directory", true}};
  Json item = {{"path", path},
               {"digest", entry.digest->to_string()},
               {"size", entry.stamp.size_bytes},
               {"mtime_ns", entry.stamp.mtime_ns},
               {"ctime_ns", entry.stamp.ctime_ns},
               {"inode", entry.stamp.inode}};
  if (entry.executable) item["executable"] = true;
  return item;
}

PulledEntry decode(const Json& item) {
  PulledEntry entry;
  if (item.contains("link")) {
    entry.link = item.at("link");
  } else if (item.contains("digest")) {
    entry.digest = Digest::parse(item.at("digest").get<std::string>());
    entry.executable = item.value("executable", false);
    entry.stamp = {item.at("size"), item.at("mtime_ns"), item.at("ctime_ns"),
                   item.at("inode")};
  }
  return entry;
}

PullState decode_state(const Json& document) {
  PullState state;
  if (document.at("format") != kFormat) {
    throw Error(ErrorCode::data_loss, "it was written by another version of mendel");
  }
  state.server = document.at("server");
  state.reference = document.at("reference");
  state.digest = document.at("digest");
  state.written_ns = document.at("written_ns");
  for (const Json& item : document.at("files")) {
    state.entries.emplace(item.at("path").get<std::string>(), decode(item));
  }
  return state;
}

}  // namespace

bool PullState::proves_unchanged(const PulledEntry& entry, const FileStamp& now) const {
  const bool has_fine_clock = entry.stamp.ctime_ns % kSecond_ns != 0;
  return entry.stamp == now && has_fine_clock &&
         entry.stamp.ctime_ns < written_ns - kClockTickMax_ns;
}

std::optional<PullState> find_pull_state(const std::filesystem::path& file) {
  const auto text = find_text(file);
  if (!text) return std::nullopt;
  try {
    return decode_state(Json::parse(*text));
  } catch (const std::exception& cause) {
    fail(ErrorCode::data_loss, "read " + file.string(), cause);
  }
}

// Put together as text: a document of a hundred thousand files would take 100 MB.
void save_pull_state(const std::filesystem::path& file, const PullState& state) {
  const Json head = {{"format", kFormat},
                     {"server", state.server},
                     {"reference", state.reference},
                     {"digest", state.digest},
                     {"written_ns", now_ns()}};
  std::string text = head.dump();
  text.replace(text.size() - 1, 1, ",\"files\":[");
  const char* separator = "\n";
  for (const auto& [path, entry] : state.entries) {
    text += separator + encode(path, entry).dump();
    separator = ",\n";
  }
  replace_text(file, text + "]}\n", /*mode=*/0644);
}

}  // namespace mendel::cli
