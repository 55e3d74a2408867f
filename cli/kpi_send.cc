#include "cli/kpi_send.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/api_client.h"
#include "cli/kpi_commands.h"
#include "cli/kpi_sender.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kRejectionsShownMax = 20;

Json to_json(const KpiSender& sender) {
  Json rejected = Json::array();
  for (const auto& rejection : sender.rejections()) {
    Json row = {
        {"file", rejection.file}, {"line", rejection.line}, {"problem", rejection.problem}};
    if (!rejection.event_id.empty()) row["event_id"] = rejection.event_id;
    rejected.push_back(std::move(row));
  }
  return {{"accepted", sender.accepted()},
          {"duplicates", sender.duplicates()},
          {"rejected", rejected},
          {"rejected_count", sender.rejected()},
          {"notes", sender.notes()}};
}

void print(const KpiSender& sender) {
  fmt::print("accepted {}, duplicates {}, rejected {}\n", sender.accepted(),
             sender.duplicates(), sender.rejected());
  const auto& rejections = sender.rejections();
  for (std::size_t i = 0; i < rejections.size() && i < kRejectionsShownMax; ++i) {
    fmt::print(stderr, "{}:{}: {}{}{}\n", printable(rejections[i].file), rejections[i].line,
               printable(rejections[i].event_id),
               rejections[i].event_id.empty() ? "" : ": ",
               printable(text_of(rejections[i].problem, "detail")));
  }
  if (sender.rejected() > kRejectionsShownMax) {
    fmt::print(stderr, "and {} more rejected\n", sender.rejected() - kRejectionsShownMax);
  }
  for (const std::string& note : sender.notes()) fmt::print(stderr, "{}\n", note);
}

}  // namespace

void send_kpi_files(const std::vector<std::string>& files, const GlobalOptions& global) {
  ApiClient server = connect(global);
  KpiSender sender(server);
  const auto report = [&] { global.json ? print_json(to_json(sender)) : print(sender); };
  try {
    for (const std::string& file : files) sender.send(file);
  } catch (const Error&) {
    report();
    throw;
  }
  report();
  if (sender.rejected() > 0) {
    throw Error(
        ErrorCode::unprocessable,
        fmt::format("{} events were rejected; the others count", sender.rejected()));
  }
}

void declare_kpi_send(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Events are a line of JSON each, as 'mendel kpi record --journal' writes them, and any program can.
Each counts once, however often it is sent: so a file may be sent again, from its beginning, after an
interruption and while more is appended. What the server rejects is told with its line and the reason,
and stops nothing else; then the exit status is 1. A last line that a kill cut short is left out.

Example:
  mendel kpi send journals/*.ndjson)");
  auto files = std::make_shared<std::vector<std::string>>();
  app.add_option("FILE", *files, "- is standard input")->required()->expected(-1);
  app.callback([files, &global] { send_kpi_files(*files, global); });
}

}  // namespace mendel::cli
