#pragma once

#include <string>
#include <vector>

#include "cli/config.h"

namespace mendel::cli {

// Delivers files of events, and says what became of them. Throws unprocessable if some were
// rejected.
void send_kpi_files(const std::vector<std::string>& files, const GlobalOptions& global);

}  // namespace mendel::cli
