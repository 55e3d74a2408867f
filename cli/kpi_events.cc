#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/api_client.h"
#include "cli/kpi_commands.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

void events(const std::string& kpi, const std::string& ns, std::size_t limit,
            const GlobalOptions& global) {
  std::string query = "?limit=" + std::to_string(limit);
  if (!kpi.empty()) query += "&kpi=" + percent_encode(kpi);
  if (!ns.empty()) query += "&namespace=" + percent_encode(ns);
  const Json page = connect(global).get("/api/v1/kpi-events" + query);
  if (global.json) return print_json(page);
  Table table({"SEQUENCE", "RECORDED", "KPI", "EVENT", "VALUE", "OCCURRED", "MODEL"});
  for (const Json& item : page.at("items")) {
    const std::string corrects = text_of(item, "corrects");
    table.add({text_of(item, "sequence") + "." + text_of(item, "position"),
               text_of(item, "recorded_at"), text_of(item, "kpi"),
               text_of(item, "event_id"), text_of(item, "value"),
               corrects.empty() ? text_of(item, "occurred_at") : "corrects " + corrects,
               text_of(item, "model")});
  }
  table.print();
}

}  // namespace

void declare_kpi_events(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Entries as they were recorded, in the order of the ledger's chain; --json has all that they say.

Example:
  mendel kpi events --kpi KPI2.2.1.1 --limit 1000 --json)");
  auto kpi = std::make_shared<std::string>();
  auto ns = std::make_shared<std::string>();
  auto limit = std::make_shared<std::size_t>(100);
  app.add_option("--kpi", *kpi)->type_name("ID");
  app.add_option("--namespace", *ns)->type_name("NAME");
  app.add_option("--limit", *limit, "at most so many")->type_name("COUNT");
  app.callback([kpi, ns, limit, &global] { events(*kpi, *ns, *limit, global); });
}

}  // namespace mendel::cli
