#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/resolve.h"

namespace mendel::cli {

namespace {

void print_line(std::string_view label, std::string_view value) {
  if (!value.empty()) fmt::print("{:<16}{}\n", label, printable(value));
}

// One line per member, below the label.
void print_object(std::string_view label, const Json& document, std::string_view member) {
  const auto object = document.find(member);
  if (object == document.end() || !object->is_object()) return;
  for (const auto& [name, value] : object->items()) {
    print_line(label, name + " = " + text_of(*object, name));
    label = "";
  }
}

void print_inputs(const Json& document) {
  for (const Json& input : document.value("inputs", Json::array())) {
    const std::string what = text_of(input, input.contains("ref") ? "ref" : "uri");
    print_line(text_of(input, "role"), what);
  }
  for (const Json& component : document.value("components", Json::array())) {
    print_line("component", text_of(component, "name") + " = " + text_of(component, "ref"));
  }
}

void print_version(const ResolvedVersion& version) {
  const Json& document = version.document;
  print_line("version", version.reference());
  print_line("kind", to_string(version.kind));
  print_line("digest", version.digest.to_string());
  print_line("state", text_of(document, "state"));
  print_line("reason", text_of(document, "state_reason"));
  print_line("made",
             text_of(document, "created_at") + " by " + text_of(document, "created_by"));
  print_line("message", text_of(document, "message"));
  print_line("size", format_size(document.value("size_bytes", std::uint64_t{0})) + " in " +
                         text_of(document, "file_count") + " files");
  print_line("aliases", joined(document, "aliases"));
  print_object("labels", document, "labels");
  print_object("metrics", document, "metrics");
  print_inputs(document);
}

void show(const std::string& text, const GlobalOptions& global) {
  const Reference reference = Reference::parse(text);
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  if (global.json) return print_json(version.document);
  print_version(version);
}

}  // namespace

void declare_show(CLI::App& app, const GlobalOptions& global) {
  app.footer(R"(
Example:
  mendel show lhcb/lamarr-trk@production)");
  auto reference = std::make_shared<std::string>();
  app.add_option("REF", *reference, "a version")->required();
  app.callback([reference, &global] { show(*reference, global); });
}

}  // namespace mendel::cli
