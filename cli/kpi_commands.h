#pragma once

#include "cli/config.h"

namespace CLI {
class App;
}

namespace mendel::cli {

// mendel kpi, and its subcommands.
void declare_kpi(CLI::App& app, const GlobalOptions& global);

void declare_kpi_define(CLI::App& app, const GlobalOptions& global);
void declare_kpi_list(CLI::App& app, const GlobalOptions& global);
void declare_kpi_show(CLI::App& app, const GlobalOptions& global);

void declare_kpi_record(CLI::App& app, const GlobalOptions& global);
void declare_kpi_send(CLI::App& app, const GlobalOptions& global);
void declare_kpi_correct(CLI::App& app, const GlobalOptions& global);
void declare_kpi_events(CLI::App& app, const GlobalOptions& global);

void declare_kpi_report(CLI::App& app, const GlobalOptions& global);
void declare_kpi_reports(CLI::App& app, const GlobalOptions& global);
void declare_kpi_verify_report(CLI::App& app, const GlobalOptions& global);
void declare_kpi_impact(CLI::App& app, const GlobalOptions& global);

}  // namespace mendel::cli
