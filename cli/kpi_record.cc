#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/kpi_commands.h"
#include "cli/kpi_event.h"
#include "cli/kpi_journal.h"
#include "cli/kpi_lines.h"
#include "cli/kpi_send.h"
#include "cli/output.h"
#include "cli/repeated_option.h"

namespace mendel::cli {

namespace {

struct RecordOptions {
  KpiEventOptions event;
  std::string file;
  std::string journal;
};

ErrorCode code_of(const Json& problem) {
  const std::string type = text_of(problem, "type");
  return parse_error_code(std::string_view(type).substr(type.rfind('/') + 1))
      .value_or(ErrorCode::unprocessable);
}

std::string message_of(const Json& problem) {
  std::string message = text_of(problem, "detail");
  for (const Json& error : problem.value("errors", Json::array())) {
    message += "\n  " + text_of(error, "pointer") + ": " + text_of(error, "detail");
  }
  return message;
}

// One event, whose rejection is this command's.
void post(const Json& event, const char* hint, const GlobalOptions& global) {
  const Json answer = connect(global).ask("/api/v1/kpi-events", event);
  const Json rejected = answer.value("rejected", Json::array());
  if (!rejected.empty()) {
    const Json problem = rejected.front().value("problem", Json::object());
    throw ServerProblem(code_of(problem), message_of(problem), problem);
  }
  Json told = {{"kpi", event["kpi"]},
               {"event_id", event["event_id"]},
               {"accepted", answer.value("accepted", 0)},
               {"duplicates", answer.value("duplicates", 0)}};
  if (global.json) return print_json(told);
  const bool is_new = answer.value("accepted", 0) > 0;
  fmt::print("{} {}\n", is_new ? "recorded" : "was recorded before:",
             printable(text_of(event, "event_id")));
  if (!is_new) fmt::print("{}", hint);
}

void append(const Json& event, const std::string& journal, const GlobalOptions& global) {
  append_kpi_lines(journal, kpi_line(event) + "\n");
  if (global.json) {
    return print_json({{"journal", journal}, {"event_id", event["event_id"]}});
  }
  fmt::print("{}\n", printable(text_of(event, "event_id")));
}

// Whole batches, so that each is synchronised once. What is no object stops it.
void append_file(const std::string& file, const std::string& journal,
                 const GlobalOptions& global) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  if (!opened) throw Error(ErrorCode::not_found, file + ": cannot be opened");
  KpiLines lines(file == "-" ? std::cin : opened);
  std::size_t count = 0;
  while (const auto batch = lines.next()) {
    append_kpi_lines(journal, batch->bytes);
    count += batch->lines.size();
  }
  if (!lines.too_long().empty() || lines.bytes_cut_short() > 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: {} lines have more than 64 KiB, and the last one is {}; "
                    "the other {} were appended",
                    file, lines.too_long().size(),
                    lines.bytes_cut_short() > 0 ? "no whole event" : "whole", count));
  }
  if (global.json) return print_json({{"journal", journal}, {"events", count}});
  fmt::print("{} events\n", count);
}

void record(const RecordOptions& options, const GlobalOptions& global) {
  const KpiEventOptions& event = options.event;
  const bool has_event = !event.kpi.empty() || !event.event_id.empty();
  if (has_event == !options.file.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "give either --kpi, --event-id and --occurred-at or --file");
  }
  if (has_event) {
    if (event.kpi.empty() || event.event_id.empty() || event.occurred_at.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  "an event needs --kpi, --event-id and --occurred-at");
    }
    const Json document = kpi_event(event);
    if (options.journal.empty()) return post(document, "", global);
    return append(document, options.journal, global);
  }
  if (options.journal.empty()) return send_kpi_files({options.file}, global);
  append_file(options.file, options.journal, global);
}

void correct(const KpiCorrectionOptions& options, const std::string& journal,
             const GlobalOptions& global) {
  const Json document = kpi_correction(options);
  if (!journal.empty()) return append(document, journal, global);
  post(document,
       "nothing was changed; if it is to be said once more, give it an --id of its own\n",
       global);
}

void declare_journal(CLI::App& app, std::string& journal) {
  app.add_option("--journal", journal,
                 "append to this file, without a network, for 'mendel kpi send'")
      ->envname("MENDEL_KPI_JOURNAL")
      ->type_name("FILE");
}

CLI::Option* add_namespace(CLI::App& app, std::string& ns, const char* help) {
  return app.add_option("--namespace", ns, help)
      ->envname("MENDEL_NAMESPACE")
      ->type_name("NAME");
}

}  // namespace

void declare_kpi_record(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
An event counts once for its id, however often it is sent: name the file that was produced (its
logical name), not the attempt of a batch system, so that a job that is run again counts once. The
same id with other content is refused (exit status 11).

The model is the numbered reference that came with its bytes, in Mendel-Reference. Without a network,
--journal FILE keeps the event: once this has ended it is on the disk, and of a journal that is
written when a job is killed no whole line is lost. 'mendel kpi send FILE' delivers it, as often as
one likes.

Examples:
  mendel kpi record --kpi KPI2.2.1.1 --event-id LHCb-2016MU/00012.dst --value 1000 \
    --occurred-at 2024-02-01T12:00:00Z --model lhcb/lamarr-trk:17 \
    --subject experiment=LHCb --subject site=CNAF \
    --evidence https://lhcb.example.org/prod/00012 --resource cpu_seconds=3600
  mendel kpi record … --journal $HOME/kpi.ndjson
  mendel kpi record --file events.ndjson)");
  auto options = std::make_shared<RecordOptions>();
  KpiEventOptions& event = options->event;
  app.add_option("--kpi", event.kpi)->type_name("ID");
  app.add_option("--event-id", event.event_id, "the source's own: an output's logical name")
      ->type_name("TEXT");
  app.add_option("--value", event.value, "in units; 1 where entries or values are counted")
      ->type_name("NUMBER");
  app.add_option("--occurred-at", event.occurred_at, "when it happened")->type_name("TIME");
  app.add_option("--model", event.model, "the version that was used: lhcb/lamarr-trk:17")
      ->type_name("REF");
  add_namespace(app, event.ns, "whose event it is; the model's if nothing is said");
  add_repeated(app, "--subject", event.subject, "experiment, campaign, site, …")
      ->type_name("KEY=VALUE");
  add_repeated(app, "--evidence", event.evidence, "a link that shows it")->type_name("URL");
  add_repeated(app, "--resource", event.resources, "cpu_seconds, gpu_seconds, energy_kwh")
      ->type_name("KEY=NUMBER");
  app.add_option("--file", options->file, "many events, a line of JSON each; - is stdin")
      ->type_name("FILE");
  declare_journal(app, options->journal);
  app.callback([options, &global] { record(*options, global); });
}

void declare_kpi_correct(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Nothing that was recorded is changed or removed: this adds an entry that gives an event another value,
from when it is recorded. The value 0 takes the event back. A report as known before stays as it was.

Repeating a correction changes nothing, for without --id its own id follows from what it says. To give
an event a value that it was corrected to before, for the same reason, name an --id.

Example:
  mendel kpi correct --kpi KPI2.2.1.1 --namespace lhcb --event-id LHCb-2016MU/00012.dst \
    --value 900 --reason "100 events failed the validation")");
  auto options = std::make_shared<KpiCorrectionOptions>();
  auto journal = std::make_shared<std::string>();
  app.add_option("--kpi", options->kpi)->required()->type_name("ID");
  app.add_option("--event-id", options->corrects, "of the event that was wrong")
      ->required()
      ->type_name("TEXT");
  add_namespace(app, options->ns, "whose event it is")->required();
  app.add_option("--value", options->value, "what it was in truth; 0: it was not")
      ->required()
      ->type_name("NUMBER");
  app.add_option("--reason", options->reason)->required()->type_name("TEXT");
  app.add_option("--id", options->own_id, "of the correction itself")->type_name("TEXT");
  add_repeated(app, "--evidence", options->evidence, "a link that shows it")
      ->type_name("URL");
  declare_journal(app, *journal);
  app.callback([options, journal, &global] { correct(*options, *journal, global); });
}

}  // namespace mendel::cli
