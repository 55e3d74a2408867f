#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/kpi_commands.h"
#include "cli/kpi_table.h"
#include "cli/local_file.h"
#include "cli/output.h"
#include "cli/repeated_option.h"

namespace mendel::cli {

namespace {

struct ReportOptions {
  std::string at, until, by, since_report;
  std::vector<std::string> kpis;
  std::string format = "table";
  std::string output;
  bool seal = false;
};

std::string path_of(const ReportOptions& options, const std::string& format) {
  std::string path = "/api/v1/kpi-report?format=" + format;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, percent_encode(value));
  };
  std::string kpis;
  for (const std::string& kpi : options.kpis) kpis += (kpis.empty() ? "" : ",") + kpi;
  add("at", options.at);
  add("until", options.until);
  add("by", options.by);
  add("since_report", options.since_report);
  add("kpi", kpis);
  return path;
}

Json seal(ApiClient& server, const ReportOptions& options) {
  if (!options.since_report.empty() || !options.kpis.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--seal freezes the whole report: without --kpi and --since-report");
  }
  Json body = Json::object();
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  add("at", options.at);
  add("until", options.until);
  add("by", options.by);
  return server.post("/api/v1/kpi-reports", body);
}

void write(const std::string& text, const std::string& output) {
  if (output.empty()) {
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
  } else {
    replace_text(output, text, 0644);
  }
}

void report(ReportOptions options, const GlobalOptions& global) {
  if (global.json) options.format = "json";
  if (options.format == "table" && !options.output.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--output takes a --format: md, csv, json or html");
  }
  ApiClient server = connect(global);
  Json sealed;
  if (options.seal) {
    sealed = seal(server, options);
    // The same report, whatever comes meanwhile.
    options.at = text_of(sealed, "at");
    options.until = text_of(sealed, "until");
  }
  if (options.format == "json") {
    const Json answer = options.seal ? sealed : server.get(path_of(options, "json"));
    return write(answer.dump(2) + "\n", options.output);
  }
  if (options.format == "table") {
    print_kpi_report(options.seal ? sealed.value("report", Json::object())
                                  : server.get(path_of(options, "json")));
  } else {
    write(server.get_bytes(path_of(options, options.format)).body, options.output);
  }
  if (options.seal) {
    fmt::print(stderr, "sealed as {}\n", text_of(sealed, "digest"));
  }
}

}  // namespace

void declare_kpi_report(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
There are two times. --until asks when it happened, --at what was known: the report "as known on
2024-02-13" is the same for ever, whatever is recorded or corrected later. A date means its end.

--by model, month, or any subject key of the events (experiment, campaign, site) parts the values.
Changes are counted from --since-report, or else from the newest report that was sealed before.

--seal keeps the report on the server under its digest, with the end of the ledger's chain: so that
'mendel kpi verify-report' can tell later whether the numbers follow from what was recorded.

Examples:
  mendel kpi report --until 2024-02-13
  mendel kpi report --at 2024-02-13 --by experiment
  mendel kpi report --format html --output kpis.html
  mendel kpi report --until 2024-02-13 --seal)");
  auto options = std::make_shared<ReportOptions>();
  app.add_option("--until", options->until, "what happened until then; all otherwise")
      ->type_name("TIME");
  app.add_option("--at", options->at, "as known then; now otherwise")->type_name("TIME");
  app.add_option("--by", options->by, "model, month or a subject key")->type_name("KEY");
  app.add_option("--since-report", options->since_report, "changes since the one of then")
      ->type_name("DATE");
  add_repeated(app, "--kpi", options->kpis, "this one alone")->type_name("ID");
  app.add_option("--format", options->format, "table, md, csv, json or html")
      ->check(CLI::IsMember({"table", "md", "csv", "json", "html"}));
  app.add_option("--output", options->output, "write to this file")->type_name("FILE");
  app.add_flag("--seal", options->seal, "keep it as it is now, for ever");
  app.callback([options, &global] { report(*options, global); });
}

}  // namespace mendel::cli
