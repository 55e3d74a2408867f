#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "registry/services/ledger/sent_entry.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// One row of a body of KPI events: an entry, or what is wrong with it.
struct KpiEventRow {
  std::string event_id;  // as far as it could be read
  std::variant<SentEntry, Error> content;
};

// An event or a correction. What is wrong is in the row; nothing is thrown.
KpiEventRow read_kpi_event(nlohmann::json row);

// The rows of {"events": […]}, of an array, or of one object. Throws invalid_argument for
// what is no such document.
std::vector<KpiEventRow> read_kpi_event_document(std::string_view text);

// The rows of a body that has one on each line, and comes in pieces. Lines of white space
// are none. A line that is no JSON, or longer than kLineSizeMax, is a row with a problem.
class KpiEventLines {
 public:
  using Take = std::function<void(KpiEventRow row, std::size_t size_bytes)>;
  static constexpr std::size_t kLineSizeMax = 64 << 10;

  explicit KpiEventLines(Take take) : take_(std::move(take)) {}

  void append(std::span<const std::byte> data);
  void finish();  // the last line may lack its end

 private:
  void add_to_line(std::string_view text);
  void end_line();

  const Take take_;
  std::string line_;
  bool is_too_long_ = false;
};

}  // namespace mendel::registry::api
