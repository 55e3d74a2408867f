// Written member by member, in the order of their names: a million entries have no time for
// a tree of each.

#include "registry/services/ledger/entry.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "storage/canonical_json.h"

namespace mendel::registry {

namespace {

using storage::append_canonical_string;

void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_canonical_string(out, name);
  out += ':';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  append_name(out, name);
  append_canonical_string(out, text);
}

void append_member(std::string& out, std::string_view name,
                   const std::optional<Amount>& amount) {
  if (!amount) return;
  append_name(out, name);
  out += storage::canonical_json(amount->to_double());
}

void append_evidence(std::string& out, const std::vector<std::string>& links) {
  if (links.empty()) return;
  append_name(out, "evidence");
  char before = '[';
  for (const std::string& link : links) {
    out += before;
    append_canonical_string(out, link);
    before = ',';
  }
  out += ']';
}

void append_resources(std::string& out, const LedgerEntry& entry) {
  if (!entry.cpu_seconds && !entry.gpu_seconds && !entry.energy_kwh) return;
  append_name(out, "resources");
  out += '{';
  append_member(out, "cpu_seconds", entry.cpu_seconds);
  append_member(out, "energy_kwh", entry.energy_kwh);
  append_member(out, "gpu_seconds", entry.gpu_seconds);
  out += '}';
}

// The names of subject keys are ASCII: bytes sort as UTF-16 does.
void append_subject(std::string& out, const std::map<std::string, std::string>& subject) {
  if (subject.empty()) return;
  append_name(out, "subject");
  out += '{';
  for (const auto& [key, value] : subject) {
    append_name(out, key);
    append_canonical_string(out, value);
  }
  out += '}';
}

}  // namespace

std::string LedgerEntry::canonical() const {
  std::string out = "{";
  append_member(out, "corrects", corrects);
  append_member(out, "event_id", event_id);
  append_evidence(out, evidence);
  append_member(out, "kpi", kpi);
  append_member(out, "model", model);
  append_member(out, "namespace", ns);
  append_member(out, "occurred_at", occurred_at ? format_rfc3339(*occurred_at) : "");
  append_member(out, "reason", reason);
  append_resources(out, *this);
  append_subject(out, subject);
  append_member(out, "value", std::optional(value));
  out += '}';
  return out;
}

}  // namespace mendel::registry
