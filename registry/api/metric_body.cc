#include "registry/api/metric_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

constexpr std::size_t kLineSizeMax = 64 * 1024;

enum Field : std::size_t { name, step, value, time, kFieldCount };
constexpr std::array<std::string_view, kFieldCount> kFieldNames{"name", "step", "value",
                                                                "time"};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

bool is_metric_name(std::string_view text) {
  return !text.empty() && text.size() <= kMetricNameSizeMax &&
         std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

// A batch in the making.
class MetricBatchBuilder {
 public:
  std::uint32_t intern(std::string_view text) {
    if (const auto known = numbers_.find(text); known != numbers_.end()) {
      return known->second;
    }
    const auto number = static_cast<std::uint32_t>(batch_.names.size());
    batch_.names.emplace_back(text);
    numbers_.emplace(text, number);
    return number;
  }
  void add(const MetricBatch::Entry& entry) { batch_.entries.push_back(entry); }

  const MetricBatch& batch() const { return batch_; }
  MetricBatch take() {
    numbers_.clear();
    return std::exchange(batch_, {});
  }

 private:
  MetricBatch batch_;
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> numbers_;
};

namespace {

// Receives the events of the parser. An entry is the whole text, or an element of the
// member "metrics" of it.
class EntryReader {
 public:
  enum class Text { entry, document };

  // first: the number of the first entry, for messages.
  EntryReader(MetricBatchBuilder& builder, Text text, std::size_t first)
      : builder_(builder), text_(text), number_(first) {}

  bool null() { return wrong_type(); }
  bool boolean(bool) { return wrong_type(); }
  bool number_integer(std::int64_t number) {
    if (place_ == Place::entry && field_ == step)
      return set_step(static_cast<double>(number), number);
    return set_value(static_cast<double>(number));
  }
  bool number_unsigned(std::uint64_t number) {
    if (place_ == Place::entry && field_ == step) {
      constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
      return set_step(static_cast<double>(number),
                      static_cast<std::int64_t>(std::min(number, kMax)));
    }
    return set_value(static_cast<double>(number));
  }
  // Some programs write the integer 90 as 90.0, which is the same number in JSON.
  bool number_float(double number, const std::string&) {
    if (place_ == Place::entry && field_ == step) {
      const bool fits = std::abs(number) <= static_cast<double>(kMetricStepMax);
      if (!fits || std::trunc(number) != number) problem("step", kStepRule);
      return set_step(number, static_cast<std::int64_t>(number));
    }
    return set_value(number);
  }
  bool string(const std::string& text) {
    if (place_ != Place::entry) return wrong_type();
    switch (field_) {
      case name:
        if (!is_metric_name(text)) problem("name", kNameRule);
        entry_.name = builder_.intern(text);
        return true;
      case value:
        if (text == "NaN") return set_value(std::numeric_limits<double>::quiet_NaN());
        if (text == "Infinity") return set_value(std::numeric_limits<double>::infinity());
        if (text == "-Infinity") return set_value(-std::numeric_limits<double>::infinity());
        return wrong_type();
      case time: return set_time(text);
      default: return wrong_type();
    }
  }
  bool binary(const nlohmann::json::binary_t&) { return wrong_type(); }

  bool start_object(std::size_t) {
    if (place_ == Place::outside && text_ == Text::document) {
      place_ = Place::document;
      return true;
    }
    if (place_ != Place::list && place_ != Place::outside) return wrong_type();
    place_ = Place::entry;
    entry_ = {};
    seen_ = {};
    return true;
  }
  bool end_object() {
    if (place_ == Place::document) {
      if (!has_list_) throw_at("/metrics", "is required");
      place_ = Place::outside;
      return true;
    }
    for (const Field field : {name, step, value}) {
      if (!seen_[field]) problem(kFieldNames[field], "is required");
    }
    builder_.add(entry_);
    ++number_;
    place_ = text_ == Text::document ? Place::list : Place::outside;
    return true;
  }
  bool start_array(std::size_t) {
    if (place_ != Place::document) return wrong_type();
    place_ = Place::list;
    return true;
  }
  bool end_array() {
    place_ = Place::document;
    return true;
  }
  bool key(const std::string& member) {
    if (place_ == Place::document) {
      if (member != "metrics") throw_at("/" + member, "is not a field of this document");
      if (std::exchange(has_list_, true)) throw_at("/metrics", "is there twice");
      return true;
    }
    const auto* const known = std::ranges::find(kFieldNames, member);
    if (known == kFieldNames.end()) problem(member, "is not a field of a metric");
    field_ = static_cast<Field>(known - kFieldNames.begin());
    if (std::exchange(seen_[field_], true)) problem(member, "is there twice");
    return true;
  }
  [[noreturn]] bool parse_error(std::size_t, const std::string&,
                                const nlohmann::detail::exception& error) {
    fail(ErrorCode::invalid_argument, "the body is not JSON", error);
  }

 private:
  enum class Place { outside, document, list, entry };

  static constexpr std::string_view kStepRule = "must be a whole number from 0 to 2^53";
  static constexpr std::string_view kNameRule =
      "must be text of 1 to 250 bytes without control characters";
  static constexpr std::string_view kValueRule =
      "must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"";

  bool set_step(double number, std::int64_t exact) {
    if (number < 0 || exact > kMetricStepMax) problem("step", kStepRule);
    entry_.step = exact;
    return true;
  }
  bool set_value(double number) {
    if (place_ != Place::entry || field_ != value) return wrong_type();
    entry_.value = number;
    return true;
  }
  // Entries that come together mostly have the same time.
  bool set_time(const std::string& text) {
    if (text != time_text_) {
      try {
        time_ = parse_rfc3339(text);
      } catch (const Error& error) {
        problem("time", error.what());
      }
      time_text_ = text;
    }
    entry_.time = time_;
    return true;
  }

  [[noreturn]] bool wrong_type() const {
    switch (place_) {
      case Place::outside: throw_at("", "must be an object");
      case Place::document: throw_at("/metrics", "must be an array");
      case Place::list: throw_at(fmt::format("/metrics/{}", number_), "must be an object");
      case Place::entry: break;
    }
    switch (field_) {
      case name: problem("name", kNameRule);
      case step: problem("step", kStepRule);
      case value: problem("value", kValueRule);
      default: problem("time", "must be a time as RFC 3339 writes it");
    }
  }
  [[noreturn]] void problem(std::string_view member, std::string_view detail) const {
    const std::string_view list = text_ == Text::document ? "/metrics" : "";
    throw_at(fmt::format("{}/{}/{}", list, number_, member), detail);
  }
  [[noreturn]] static void throw_at(const std::string& pointer, std::string_view detail) {
    throw Error(ErrorCode::invalid_argument, pointer + " " + std::string(detail),
                {{pointer, std::string(detail)}});
  }

  MetricBatchBuilder& builder_;
  const Text text_;
  std::size_t number_;
  Place place_ = Place::outside;
  bool has_list_ = false;
  Field field_ = name;
  std::array<bool, kFieldCount> seen_{};
  MetricBatch::Entry entry_;
  std::string time_text_;
  Timestamp time_;
};

void parse(std::string_view text, EntryReader& reader) {
  try {
    nlohmann::json::sax_parse(text, &reader);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::invalid_argument, "the body is not JSON", error);
  }
}

}  // namespace

MetricLines::MetricLines(Take take)
    : take_(std::move(take)), builder_(std::make_unique<MetricBatchBuilder>()) {}
MetricLines::~MetricLines() = default;

MetricBatch parse_metrics(std::string_view document) {
  MetricBatchBuilder builder;
  EntryReader reader(builder, EntryReader::Text::document, 0);
  parse(document, reader);
  return builder.take();
}

void MetricLines::append(std::span<const std::byte> data) {
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    if (rest_.empty()) {
      read_line(line);
    } else {
      rest_ += line;
      read_line(rest_);
      rest_.clear();
    }
    text.remove_prefix(end + 1);
  }
  if (rest_.size() + text.size() > kLineSizeMax) {
    throw Error(ErrorCode::too_large, fmt::format("line {} has more than {} bytes",
                                                  line_count_ + 1, kLineSizeMax));
  }
  rest_ += text;
}

void MetricLines::read_line(std::string_view line) {
  ++line_count_;
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  try {
    EntryReader reader(*builder_, EntryReader::Text::entry, line_count_ - 1);
    parse(line, reader);
  } catch (const Error& error) {
    const std::string before =
        handed_on_ == 0 ? "none were taken"
                        : fmt::format("the first {} lines were taken", handed_on_);
    throw Error(error.code(),
                fmt::format("line {}: {} ({})", line_count_, error.what(), before),
                error.fields());
  }
  if (builder_->batch().entries.size() == kBatchSizeMax) hand_on();
}

void MetricLines::hand_on() {
  take_(builder_->take());
  handed_on_ = line_count_;
}

void MetricLines::finish() {
  if (!rest_.empty()) read_line(std::exchange(rest_, {}));
  if (!builder_->batch().entries.empty()) hand_on();
}

}  // namespace mendel::registry::api
