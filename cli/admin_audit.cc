#include <CLI/CLI.hpp>

#include "cli/admin.h"
#include "cli/api_client.h"
#include "cli/api_path.h"
#include "cli/output.h"

namespace mendel::cli {

namespace {

struct AuditOptions {
  std::string ns;
  std::string subject;
  std::string action;
};

std::string audit_path(const AuditOptions& options) {
  std::string path = "/api/v1/audit?";
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) path += std::string(name) + "=" + percent_encode(value) + "&";
  };
  add("namespace", options.ns);
  add("subject", options.subject);
  add("action", options.action);
  path.pop_back();
  return path;
}

void audit(const AuditOptions& options, const GlobalOptions& global) {
  ApiClient server = connect(global);
  const auto entries = server.get_all(audit_path(options));
  if (global.json) return print_json_items(entries);
  Table table({"AT", "WHO", "ACTION", "SUBJECT", "NAMESPACE", "REASON"});
  for (const Json& entry : entries) {
    table.add({text_of(entry, "at"), text_of(entry, "principal"), text_of(entry, "action"),
               text_of(entry, "subject"), text_of(entry, "namespace"),
               text_of(entry, "reason")});
  }
  table.print();
}

}  // namespace

void declare_audit(CLI::App& admin, const GlobalOptions& global) {
  CLI::App* command =
      admin.add_subcommand("audit", "who deleted, purged, granted and revoked what");
  command->footer(R"(
Newest first. Administrators of the server see all of it; others name a namespace that they
own.

Examples:
  mendel admin audit --namespace lhcb
  mendel admin audit --action blob.purge)");
  auto options = std::make_shared<AuditOptions>();
  command->add_option("--namespace", options->ns, "only of this namespace")
      ->type_name("NAME");
  command->add_option("--subject", options->subject, "only what was done to this")
      ->type_name("TEXT");
  command
      ->add_option("--action", options->action,
                   "only this: version.delete, token.revoke, blob.purge, …")
      ->type_name("ACTION");
  command->callback([options, &global] { audit(*options, global); });
}

}  // namespace mendel::cli
