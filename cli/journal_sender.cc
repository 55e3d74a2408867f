// The place up to which a journal is delivered is written after each request at the latest
// a moment later, and names the journal: a file of records that was removed meanwhile, and
// begun anew, is another journal. What is delivered again because a kill came in between
// does no harm.

#include "cli/journal_sender.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "cli/interrupt.h"
#include "cli/local_file.h"
#include "cli/metric_points.h"
#include "cli/output.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

// Whether repeating the request will never help. A token that is not valid, or may not
// write, is no property of the record.
bool is_for_good(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::unprocessable:
    case ErrorCode::too_large:
    case ErrorCode::out_of_range:
    case ErrorCode::gone:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::failed_precondition: return true;
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
    case ErrorCode::aborted:
    case ErrorCode::resource_exhausted:
    case ErrorCode::out_of_space:
    case ErrorCode::cancelled:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::data_loss:
    case ErrorCode::internal: return false;
  }
  return false;
}

std::string type_of(const Json& record) {
  const auto type = record.find("type");
  return type != record.end() && type->is_string() ? type->get<std::string>() : "unknown";
}

bool is_metrics(const Json& record) {
  return type_of(record) == "metrics" && record.contains("run") &&
         record.contains("metrics") && record["metrics"].is_array();
}

Json problem_of(const Error& error) {
  const auto* problem = dynamic_cast<const ServerProblem*>(&error);
  if (problem && problem->document().contains("type")) return problem->document();
  return {{"type", "/problems/" + std::string(wire_name(error.code()))},
          {"detail", error.what()}};
}

void append_line(const fs::path& path, const Json& line) {
  const Fd file = open_file(path.native(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  write_all(file, path.native(), as_bytes(text));
  sync_file(file, path.native());
}

std::vector<Json> read_lines(const fs::path& path) {
  std::vector<Json> documents;
  const std::string text = find_text(path).value_or("");
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    Json document = Json::parse(text.begin() + std::ptrdiff_t(begin),
                                text.begin() + std::ptrdiff_t(end), nullptr, false);
    if (document.is_object()) documents.push_back(std::move(document));
    begin = end + 1;
  }
  return documents;
}

void remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw_posix_error("remove", path.native(), errno);
  }
}

std::string head_of(const ReadAt& read) {
  std::string head(kJournalHeadSize, '\0');
  head.resize(read(0, std::as_writable_bytes(std::span(head))));
  return head;
}

// What was remembered of this journal, if it makes sense.
std::optional<std::uint64_t> find_delivered(const fs::path& path, const std::string& id) {
  const Json delivered = Json::parse(find_text(path).value_or(""), nullptr, false);
  if (!delivered.is_object() || !delivered.contains("journal") ||
      !delivered.contains("offset")) {
    return std::nullopt;
  }
  const Json& offset = delivered["offset"];
  if (delivered["journal"] != id || !offset.is_number_unsigned()) return std::nullopt;
  return std::max<std::uint64_t>(offset.get<std::uint64_t>(), kJournalHeadSize);
}

// A record, or nullopt for what is framed as one and is none.
std::optional<Json> find_record(const JournalItem& item) {
  if (!item.payload) return std::nullopt;
  Json record = Json::parse(*item.payload, nullptr, false);
  if (!record.is_object()) return std::nullopt;
  return record;
}

std::optional<Digest> find_blob_name(const fs::path& file) {
  return Digest::find_in("sha256:" + file.filename().string());
}

}  // namespace

JournalSender::JournalSender(ApiClient& server, const JournalPlaces& places)
    : places_(places),
      alone_(JournalLock::hold_alone(places_.send_lock())),
      delivery_(server, places_) {
  const Fd file(::open(places_.records().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return;
  if (!file) throw_posix_error("open", places_.records().native(), errno);
  const fs::path path = places_.records();
  const std::string head = head_of(reader_of(file, path));
  if (head.size() < kJournalHeadSize) return;  // somebody was killed making it
  const auto id = find_journal_id(head);
  if (!id) throw Error(ErrorCode::data_loss, path.native() + " is no journal");
  id_ = *id;
  offset_ = find_delivered(places_.delivered(), id_).value_or(kJournalHeadSize);
}

void JournalSender::send_rejected() {
  const fs::path again = places_.rejected_again();
  if (!fs::exists(again) && fs::exists(places_.rejected())) {
    fs::rename(places_.rejected(), again);
  }
  for (const Json& line : read_lines(again)) {
    if (line.contains("record")) deliver_or_reject(line["record"]);
  }
  remove_file(again);
}

void JournalSender::send() {
  if (id_.empty()) return;
  try {
    send_items();
  } catch (const std::exception&) {
    remember_on_disk();
    throw;
  }
  remember_on_disk();
}

void JournalSender::send_items() {
  const fs::path path = places_.records();
  const Fd file = open_file(path.native(), O_RDONLY, 0);
  const ReadAt read = reader_of(file, path);
  JournalReader reader(read, offset_);
  while (const auto item = reader.next()) {
    throw_if_interrupted();
    if (auto record = find_record(*item)) {
      add_to_group(std::move(*record), item->end);
    } else {
      deliver_group();
      reject_damage(*item, read);
      remember(item->end);
    }
  }
  deliver_group();
  bytes_cut_short_ = stamp_of(file, path.native()).size_bytes - reader.offset();
}

// Metrics of one run that follow each other go together, as long as they are few enough.
void JournalSender::add_to_group(Json record, std::uint64_t end) {
  if (!group_.records.empty()) {
    const Json& first = group_.records.front();
    const bool fits = is_metrics(first) && is_metrics(record) &&
                      first["run"] == record["run"] &&
                      group_.point_count + record["metrics"].size() <= kPointsPerRequestMax;
    if (!fits) deliver_group();
  }
  if (is_metrics(record)) group_.point_count += record["metrics"].size();
  group_.records.push_back(std::move(record));
  group_.end = end;
}

void JournalSender::deliver_group() {
  if (group_.records.empty()) return;
  if (group_.records.size() > 1) {
    Json together = group_.records.front();
    for (std::size_t i = 1; i < group_.records.size(); ++i) {
      Json& points = group_.records[i]["metrics"];
      together["metrics"].insert(together["metrics"].end(), points.begin(), points.end());
    }
    try {
      delivery_.deliver(together);
      group_.records.clear();
    } catch (const Error& error) {
      // One of them is refused: which one, delivering each by itself shows.
      if (!is_for_good(error.code())) throw;
    }
  }
  for (const Json& record : group_.records) deliver_or_reject(record);
  remember(group_.end);
  group_ = {};
}

void JournalSender::deliver_or_reject(const Json& record) {
  try {
    delivery_.deliver(record);
  } catch (const Error& error) {
    if (!is_for_good(error.code())) throw;
    reject(record, error);
  } catch (const Json::exception& error) {
    reject(record, Error(ErrorCode::invalid_argument, error.what()));
  }
}

void JournalSender::reject(const Json& record, const Error& error) {
  append_line(places_.rejected(),
              {{"at", time_now()}, {"problem", problem_of(error)}, {"record", record}});
  refusals_.push_back({type_of(record), error.what()});
}

// The bytes are kept for whoever can read more into them.
void JournalSender::reject_damage(const JournalItem& item, const ReadAt& read) {
  const fs::path path =
      places_.directory / ("damaged-" + id_ + "-" + std::to_string(item.begin));
  const Fd file = open_file(path.native(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::byte> buffer(1u << 16);
  for (std::uint64_t offset = item.begin; offset < item.end;) {
    const auto piece = std::span(buffer).first(
        std::size_t(std::min<std::uint64_t>(buffer.size(), item.end - offset)));
    const std::size_t count = read(offset, piece);
    if (count == 0) break;
    write_all(file, path.native(), piece.first(count));
    offset += count;
  }
  sync_file(file, path.native());
  refusals_.push_back({"damaged", std::to_string(item.end - item.begin) +
                                      " bytes are no record; they are kept in " +
                                      path.string()});
}

void JournalSender::remember(std::uint64_t offset) {
  constexpr std::chrono::milliseconds kInterval{500};
  offset_ = offset;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_write_) return;
  remember_on_disk();
  next_write_ = now + kInterval;
}

void JournalSender::remember_on_disk() {
  const Json delivered = {{"journal", id_}, {"offset", offset_}};
  replace_text(places_.delivered(), delivered.dump() + "\n", 0600);
}

void JournalSender::remove_delivered() {
  const JournalLock nobody_keeps = JournalLock::hold_alone(places_.use_lock());
  const JournalLock nobody_appends = JournalLock::hold_alone(places_.append_lock());
  if (!id_.empty()) remove_records();
  remove_blobs();
}

// What was appended since stays, in a file that takes the place of the old one at once.
void JournalSender::remove_records() {
  const fs::path path = places_.records();
  std::string left;
  {
    const Fd file = open_file(path.native(), O_RDONLY, 0);
    JournalReader reader(reader_of(file, path), offset_);
    while (const auto item = reader.next()) {
      if (item->payload) left += encode_journal_frame(*item->payload);
    }
  }
  if (left.empty()) {
    remove_file(path);
  } else {
    replace_text(path, new_journal_head() + left, 0600);
  }
  remove_file(places_.delivered());
  sync_directory(places_.directory.native());
}

std::vector<Json> JournalSender::records_left() const {
  std::vector<Json> records;
  for (const fs::path& file : {places_.rejected(), places_.rejected_again()}) {
    for (const Json& line : read_lines(file)) {
      if (line.contains("record")) records.push_back(line["record"]);
    }
  }
  const fs::path path = places_.records();
  if (!fs::exists(path)) return records;
  const Fd file = open_file(path.native(), O_RDONLY, 0);
  JournalReader reader(reader_of(file, path), kJournalHeadSize);
  while (const auto item = reader.next()) {
    if (auto record = find_record(*item)) records.push_back(std::move(*record));
  }
  return records;
}

void JournalSender::remove_blobs() {
  std::set<Digest> needed;
  for (const Json& record : records_left()) {
    // What those need of which we know nothing, nobody can say: then all stays.
    if (!is_known_record(record)) return;
    needed.merge(blobs_of(record, places_));
  }
  std::error_code status;
  for (const auto& entry : fs::recursive_directory_iterator(places_.blobs(), status)) {
    if (!entry.is_regular_file()) continue;
    const auto digest = find_blob_name(entry.path());
    if (!digest || !needed.contains(*digest)) remove_file(entry.path());
  }
}

}  // namespace mendel::cli
