#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/api_client.h"
#include "cli/kpi_commands.h"
#include "cli/kpi_table.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

struct ImpactOptions {
  std::string reference;
  std::string commit;
  std::string by;
};

std::string path_of(const ImpactOptions& options) {
  if (options.reference.empty() == options.commit.empty()) {
    throw Error(ErrorCode::invalid_argument, "give either a REF or --commit");
  }
  std::string path = options.commit.empty()
                         ? "/api/v1/kpi-impact?ref=" + percent_encode(options.reference)
                         : "/api/v1/kpi-impact?commit=" + percent_encode(options.commit);
  if (!options.by.empty()) path += "&by=" + percent_encode(options.by);
  return path;
}

void print_parts(const Json& kpi, const char* member, const char* heading) {
  const Json parts = kpi.value(member, Json::array());
  if (parts.empty()) return;
  Table table({std::string("  ") + heading, "value", "entries"});
  for (const Json& part : parts) {
    const std::string key = text_of(part, "key");
    table.add({"  " + (key.empty() ? "(none)" : key),
               plain_amount(part.value("value", Json()), text_of(kpi, "unit")),
               text_of(part, "entries")});
  }
  table.print();
}

void impact(const ImpactOptions& options, const GlobalOptions& global) {
  const Json answer = connect(global).get(path_of(options));
  if (global.json) return print_json(answer);
  const std::size_t versions = answer.value("versions", Json::array()).size() +
                               answer.value("versions_left_out", std::size_t{0});
  const auto hidden = answer.value("hidden", std::size_t{0});
  fmt::print("{} and what was made from it, versions: {}{}\n",
             printable(options.commit.empty() ? options.reference : options.commit),
             versions,
             hidden > 0 ? fmt::format(" and {} that you may not read", hidden) : "");
  const Json kpis = answer.value("kpis", Json::array());
  if (kpis.empty()) fmt::print("nothing was recorded for them\n");
  const std::string by = options.by.empty() ? "campaign" : options.by;
  for (const Json& kpi : kpis) {
    const std::string share = text_of(kpi, "share_percent");
    fmt::print("\n{}: {} in {} entries{}\n", printable(text_of(kpi, "id")),
               printable(text_of(kpi, "value_text")), text_of(kpi, "entries"),
               share.empty() ? "" : ", " + share + " % of all");
    print_parts(kpi, "by", by.c_str());
    print_parts(kpi, "by_version", "version");
  }
}

}  // namespace

void declare_kpi_impact(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Adds up what was recorded for a version and for all that was made from it: of a dataset that turns out
to be wrong, what the models that were trained on it have produced.

Examples:
  mendel kpi impact lhcb/calib-2016:3
  mendel kpi impact lhcb/calib-2016:3 --by site
  mendel kpi impact --commit 3f5a9c0)");
  auto options = std::make_shared<ImpactOptions>();
  app.add_option("REF", options->reference, "a version of a model, dataset or environment");
  app.add_option("--commit", options->commit, "what was made from this commit")
      ->type_name("SHA");
  app.add_option("--by", options->by, "a subject key, instead of campaign")
      ->type_name("KEY");
  app.callback([options, &global] { impact(*options, global); });
}

}  // namespace mendel::cli
