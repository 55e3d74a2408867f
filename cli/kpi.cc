#include <CLI/CLI.hpp>

#include "cli/kpi_commands.h"

namespace mendel::cli {

void declare_kpi(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
A KPI says what is counted, and how much of it there is to be. Whoever produces something with a model
records an event for it: once, however often it is sent. Nothing that was recorded is changed or
removed; a mistake is corrected by another entry, which says why.

Examples:
  mendel kpi define --file kpis.yml
  mendel kpi record --kpi KPI2.2.1.1 --event-id LHCb-2016MU/00012.dst --value 1000 \
    --occurred-at 2024-02-01T12:00:00Z --model lhcb/lamarr-trk:17 --subject experiment=LHCb
  mendel kpi report --until 2024-02-13)");
  declare_kpi_define(*app.add_subcommand("define", "say what is counted"), global);
  declare_kpi_list(*app.add_subcommand("list", "the KPIs that you may see"), global);
  declare_kpi_show(*app.add_subcommand("show", "a KPI, and how it was defined before"),
                   global);
  declare_kpi_record(*app.add_subcommand("record", "record what was produced"), global);
  declare_kpi_send(*app.add_subcommand("send", "deliver what was recorded in files"),
                   global);
  declare_kpi_correct(*app.add_subcommand("correct", "say that an event was another value"),
                      global);
  declare_kpi_events(*app.add_subcommand("events", "what was recorded, in its order"),
                     global);
  declare_kpi_report(*app.add_subcommand("report", "what it has come to"), global);
  declare_kpi_reports(*app.add_subcommand("reports", "the reports that were sealed"),
                      global);
  declare_kpi_verify_report(
      *app.add_subcommand("verify-report", "whether a report follows from the ledger"),
      global);
  declare_kpi_impact(
      *app.add_subcommand("impact", "what was produced with all that came from a version"),
      global);
}

}  // namespace mendel::cli
