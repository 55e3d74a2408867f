#include "tests/fuzz/hostile_kpi_lines.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "cli/kpi_lines.h"
#include "storage/base/digest.h"

namespace mendel::testing {

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

std::map<std::uint64_t, std::string> lines_of(std::string_view text) {
  std::map<std::uint64_t, std::string> lines;
  std::istringstream stream{std::string(text)};
  std::string line;
  for (std::uint64_t number = 1; std::getline(stream, line); ++number) lines[number] = line;
  return lines;
}

}  // namespace

bool read_hostile_kpi_lines(std::span<const std::byte> input) {
  const auto expected = lines_of(as_text(input));
  std::istringstream stream{std::string(as_text(input))};
  cli::KpiLines lines(stream);
  std::uint64_t last = 0;
  while (const auto batch = lines.next()) {
    const auto given = lines_of(batch->bytes);
    require(batch->bytes.ends_with('\n') && given.size() == batch->lines.size());
    for (std::size_t i = 0; i < batch->lines.size(); ++i) {
      require(batch->lines[i] > last);
      last = batch->lines[i];
      require(given.at(i + 1) == expected.at(last));
      require(given.at(i + 1).size() <= cli::kKpiLineSizeMax);
    }
  }
  for (const std::uint64_t number : lines.too_long()) {
    require(expected.at(number).size() > cli::kKpiLineSizeMax);
  }
  return lines.too_long().empty() && lines.bytes_cut_short() == 0;
}

}  // namespace mendel::testing
