#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/command.h"
#include "cli/journal_option.h"
#include "cli/journal_sender.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

struct SendOptions {
  std::string directory;
  bool remove = false;
  bool again = false;
};

JournalPlaces places_of(const SendOptions& options) {
  const std::string directory = journal_directory(options.directory);
  if (directory.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "which journal? Name its directory, or set MENDEL_JOURNAL");
  }
  if (!std::filesystem::is_directory(directory)) {
    throw Error(ErrorCode::not_found, "there is no directory " + directory);
  }
  return {directory};
}

Json report_of(const JournalSender& sender) {
  const auto& counts = sender.counts();
  Json refused = Json::array();
  for (const auto& refusal : sender.refusals()) {
    refused.push_back({{"type", refusal.type}, {"reason", refusal.reason}});
  }
  return {{"runs", counts.runs},
          {"points", counts.points},
          {"duplicate_points", counts.duplicate_points},
          {"checkpoints", counts.checkpoints},
          {"finished", counts.finished},
          {"versions", counts.versions},
          {"sent_bytes", counts.sent_bytes},
          {"refused", refused},
          {"bytes_cut_short", sender.bytes_cut_short()}};
}

void print_report(const JournalSender& sender) {
  const auto& counts = sender.counts();
  fmt::print(
      "sent: {} runs started and {} ended, {} points ({} were there), {} checkpoints, "
      "{} pushes; {} in files\n",
      counts.runs, counts.finished, counts.points + counts.duplicate_points,
      counts.duplicate_points, counts.checkpoints, counts.versions.size(),
      format_size(counts.sent_bytes));
  for (const std::string& version : counts.versions) {
    fmt::print("{}\n", printable(version));
  }
  for (const auto& refusal : sender.refusals()) {
    fmt::print(stderr, "refused: {}: {}\n", printable(refusal.type), refusal.reason);
  }
  if (sender.bytes_cut_short() > 0) {
    fmt::print(stderr, "{} bytes at the end are no whole record: a kill cut it short\n",
               sender.bytes_cut_short());
  }
}

void send(const SendOptions& options, const GlobalOptions& global) {
  const JournalPlaces places = places_of(options);
  ApiClient server = connect(global);
  JournalSender sender(server, places);
  const auto report = [&] {
    if (!global.json) return print_report(sender);
    print_json(report_of(sender));
  };
  try {
    if (options.again) sender.send_rejected();
    sender.send();
    if (options.remove) sender.remove_delivered();
  } catch (const Error&) {
    report();
    throw;
  }
  report();
  if (!sender.refusals().empty()) {
    throw Error(ErrorCode::unprocessable,
                fmt::format("{} records were refused, and are set aside in {}",
                            sender.refusals().size(), places.rejected().string()));
  }
}

}  // namespace

void declare_send(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Delivers what 'mendel run' and 'mendel push' have recorded with --journal DIR, in its order: runs,
their metrics, checkpoints and ends, and pushes. It may be repeated as often as one likes, and while
more is recorded: what was delivered is not delivered twice, and after an interruption the rest is.

What the server refuses for good (a namespace that is not there, a checkpoint of a run that has
ended) is reported and set aside in DIR/rejected, with the reason, and the rest goes on; --again
tries that once more. So it is with records that this mendel does not know, but a newer one may.
A server that is away (exit status 13), or a token that is not valid (12), sets nothing aside.

With --remove, what is on the server is removed from DIR; otherwise it stays, and takes space.

Examples:
  mendel send $HOME/journal
  mendel send $HOME/journal --remove --json)");
  auto options = std::make_shared<SendOptions>();
  app.add_option("DIR", options->directory, "the journal, otherwise MENDEL_JOURNAL");
  app.add_flag("--remove", options->remove, "remove what was delivered");
  app.add_flag("--again", options->again, "first try again what was refused before");
  app.callback([options, &global] { send(*options, global); });
}

}  // namespace mendel::cli
