#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/api_client.h"
#include "cli/exit_code.h"
#include "cli/input_text.h"
#include "cli/kpi_commands.h"
#include "cli/output.h"
#include "storage/base/digest.h"

namespace mendel::cli {

namespace {

void list(const GlobalOptions& global) {
  const auto items = connect(global).get_all("/api/v1/kpi-reports");
  if (global.json) return print_json_items(items);
  Table table({"DIGEST", "AT", "UNTIL", "SEALED", "BY"});
  for (const Json& item : items) {
    table.add({text_of(item, "digest"), text_of(item, "at"), text_of(item, "until"),
               text_of(item, "sealed_at"), text_of(item, "sealed_by")});
  }
  table.print();
}

std::string verify_path(const Digest& digest) {
  return "/api/v1/kpi-reports/" + percent_encode(digest.to_string()) + "/verify";
}

// A file is sent as it is: whether the server knows it by its digest is a part of the
// answer.
Json verify(ApiClient& server, const std::string& what) {
  if (what.starts_with("sha256:")) {
    return server.ask(verify_path(Digest::parse(what)), Json::object());
  }
  const std::string document = read_input_text(what);
  return server.post_bytes(verify_path(Digest::of(document)), "application/json", document);
}

void verify(const std::string& what, const GlobalOptions& global) {
  ApiClient server = connect(global);
  const Json answer = verify(server, what);
  const bool holds = answer.value("holds", false);
  if (global.json) {
    print_json(answer);
  } else {
    for (const Json& check : answer.value("checks", Json::array())) {
      fmt::print("{:<4}{:<14}{}\n", check.value("ok", false) ? "ok" : "NO",
                 printable(text_of(check, "what")), printable(text_of(check, "detail")));
    }
    fmt::print("{}\n", holds ? "the report follows from the ledger"
                             : "the report does not follow from the ledger");
  }
  if (!holds) throw CLI::RuntimeError(kExitDamagedData);
}

}  // namespace

void declare_kpi_reports(CLI::App& app, const GlobalOptions& global) {
  app.callback([&global] { list(global); });
}

void declare_kpi_verify_report(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Looks whether the document's bytes are those of its digest, whether the ledger's chain still is what
the report names, and counts each number again from the entries alone, by the definitions of then.
The exit status is 14 if anything differs.

Examples:
  mendel kpi verify-report sha256:3f5a…
  mendel kpi verify-report report-2024-02.json)");
  auto what = std::make_shared<std::string>();
  app.add_option("REPORT", *what, "a digest, or a file with the document that was sealed")
      ->required();
  app.callback([what, &global] { verify(*what, global); });
}

}  // namespace mendel::cli
