#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cli/api_client.h"

namespace mendel::cli {

// An event as a line of NDJSON, without its end. Throws too_large, and invalid_argument for
// text that is not UTF-8.
std::string kpi_line(const Json& event);

// Appends whole lines to a file of events, which is made if there is none, and returns once
// they are on the medium. What a kill left at its end, a line that was cut short, is cut
// off first. Any number of processes may do so at once, and send the file meanwhile.
void append_kpi_lines(const std::filesystem::path& journal, std::string_view lines);

}  // namespace mendel::cli
