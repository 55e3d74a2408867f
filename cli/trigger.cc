#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "storage/base/reference.h"

namespace mendel::cli {

namespace {

std::string trigger_path(const std::string& name) {
  const ArtifactName trigger = ArtifactName::parse(name);
  return "/api/v1/triggers/" + percent_encode(trigger.ns().text()) + "/" +
         percent_encode(trigger.name().text());
}

struct ListOptions {
  std::string ns;
  std::string pipeline;
};

void list(const ListOptions& options, const GlobalOptions& global) {
  std::string query;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, percent_encode(value));
  };
  add("namespace", options.ns);
  add("pipeline", options.pipeline);
  const auto items = connect(global).get_all("/api/v1/triggers" + query);
  if (global.json) return print_json_items(items);
  Table table({"NAME", "PIPELINE", "ENABLED", "LAST FIRED", "WHEN"});
  for (const Json& item : items) {
    table.add({text_of(item, "name"), text_of(item, "pipeline"),
               item.value("enabled", true) ? "yes" : "no", text_of(item, "last_fired_at"),
               printable(text_of(item, "when"))});
  }
  table.print();
}

void print_line(const char* what, const std::string& text) {
  if (!text.empty()) fmt::print("{:<14}{}\n", what, printable(text));
}

void show(const std::string& name, const GlobalOptions& global) {
  const Json trigger = connect(global).get(trigger_path(name));
  if (global.json) return print_json(trigger);
  print_line("trigger", text_of(trigger, "name"));
  print_line("pipeline", text_of(trigger, "pipeline"));
  print_line("when", text_of(trigger, "when"));
  print_line("enabled", trigger.value("enabled", true) ? "yes" : "no");
  print_line("debounce", text_of(trigger, "debounce_seconds"));
  print_line("cooldown", text_of(trigger, "cooldown_seconds"));
  print_line("last fired", text_of(trigger, "last_fired_at"));
  print_line("because", text_of(trigger, "last_reason"));
  print_line("job", text_of(trigger, "last_job"));
  print_line("pending", text_of(trigger, "pending"));
  print_line("heard", joined(trigger, "heard"));
  print_line("next", text_of(trigger, "next"));
  print_line("errors", text_of(trigger, "errors"));
}

void print_reasons(const Json& answer, const char* member, const char* heading) {
  const Json reasons = answer.value(member, Json::array());
  for (const Json& reason : reasons) {
    const std::string text = reason.is_string() ? reason.get<std::string>() : reason.dump();
    fmt::print("{}{}\n", heading, printable(text));
  }
}

void test(const std::string& name, const GlobalOptions& global) {
  const Json answer = connect(global).ask(trigger_path(name) + "/test", Json::object());
  if (global.json) return print_json(answer);
  fmt::print("{}\n", answer.value("would_fire", false) ? "it would fire now"
                                                       : "it would not fire now");
  print_reasons(answer, "because", "  because  ");
  print_reasons(answer, "missing", "  missing  ");
}

void fire(const std::string& name, const std::string& reason, const GlobalOptions& global) {
  Json body = Json::object();
  if (!reason.empty()) body["reason"] = reason;
  const Json answer = connect(global).post(trigger_path(name) + "/fire", body);
  if (global.json) return print_json(answer);
  fmt::print("{} was told to fire: event {}\n", name, text_of(answer, "event"));
}

// What the server adds to a trigger when it tells of it is not part of its document.
Json document_of(const Json& trigger) {
  Json document = Json::object();
  for (const char* member : {"pipeline", "when", "debounce_seconds", "cooldown_seconds",
                             "enabled", "labels", "description"}) {
    if (trigger.contains(member)) document[member] = trigger[member];
  }
  return document;
}

void set_enabled(const std::string& name, bool enabled, const GlobalOptions& global) {
  ApiClient server = connect(global);
  Json document = document_of(server.get(trigger_path(name)));
  document["enabled"] = enabled;
  const Json answer = server.put(trigger_path(name), document);
  if (global.json) return print_json(answer);
  fmt::print("trigger {} is {}\n", name, enabled ? "enabled" : "disabled");
}

void remove(const std::string& name, const GlobalOptions& global) {
  connect(global).remove(trigger_path(name), nullptr);
  if (global.json) return print_json(Json::object());
  fmt::print("trigger {} is deleted; the jobs that it made stay\n", name);
}

void add_list(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("list", "triggers that you may see");
  auto options = std::make_shared<ListOptions>();
  command->add_option("--namespace", options->ns)->type_name("NAME");
  command->add_option("--pipeline", options->pipeline)->type_name("NAME");
  command->callback([options, &global] { list(*options, global); });
}

void add_fire(CLI::App& app, const GlobalOptions& global) {
  CLI::App* command = app.add_subcommand("fire", "let a trigger fire that waits for it");
  auto name = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  command->add_option("NAME", *name, "namespace/name")->required();
  command->add_option("--reason", *reason, "kept with the job")->type_name("TEXT");
  command->callback([name, reason, &global] { fire(*name, *reason, global); });
}

template <typename Action>
void add(CLI::App& app, const char* what, const char* help, Action action) {
  CLI::App* command = app.add_subcommand(what, help);
  auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "namespace/name")->required();
  command->callback([name, action] { action(*name); });
}

}  // namespace

void declare_trigger(CLI::App& app, const GlobalOptions& global) {
  app.require_subcommand(1);
  app.footer(R"(
A trigger starts a pipeline when something happens: a new version, an alias that moves, a push to a
git repository, a metric beyond a threshold, a time; 'mendel pipeline apply' makes it from a file.

Examples:
  mendel trigger show lhcb/on-new-calib      when it fired last, and what it waits for
  mendel trigger test lhcb/on-new-calib      whether it would fire now; starts nothing
  mendel trigger disable lhcb/on-new-calib)");
  add_list(app, global);
  add(app, "show", "when it fired last and why, and what makes it fire next",
      [&global](const std::string& name) { show(name, global); });
  add(app, "test", "whether it would fire now; nothing is started",
      [&global](const std::string& name) { test(name, global); });
  add_fire(app, global);
  add(app, "enable", "let a trigger fire again",
      [&global](const std::string& name) { set_enabled(name, true, global); });
  add(app, "disable", "keep a trigger, and let it not fire",
      [&global](const std::string& name) { set_enabled(name, false, global); });
  add(app, "delete", "remove a trigger",
      [&global](const std::string& name) { remove(name, global); });
}

}  // namespace mendel::cli
