#pragma once

#include <string>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

// A KPI's definition as it is written in a file.
struct KpiDocument {
  std::string id;
  Json body;          // for the server: all but the id
  std::string place;  // "FILE, document 2", for messages

  std::string path() const;  // of the server's interface
};

// Reads files of YAML documents, "-" is standard input: each is a definition with its "id",
// or has a list of such under "kpis". Throws invalid_argument, with the place, for what is
// neither, and for an id that occurs twice.
std::vector<KpiDocument> read_kpi_documents(const std::vector<std::string>& files);
std::vector<KpiDocument> parse_kpi_documents(const std::string& text,
                                             const std::string& file);

// The path of a KPI. Throws invalid_argument for what is no name.
std::string kpi_path(const std::string& id);

// What the server tells of a definition, as it would be written in a file: without what the
// server adds, and without members that only say what goes without saying.
Json definition_in(const Json& told);

}  // namespace mendel::cli
