#include "registry/services/ledger/entry_resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::chrono::days kAheadMax{1};

Error problem(ErrorCode code, const std::string& pointer, const std::string& detail) {
  return {code, pointer + " " + detail, {{pointer, detail}}};
}

Error no_kpi(const Name& id) {
  return {ErrorCode::not_found, "there is no KPI " + id.text()};
}

bool counts_in(const KpiDefinition& kpi, NamespaceId ns) {
  const auto& counted = kpi.counting.namespaces;
  return counted.empty() || std::ranges::find(counted, ns) != counted.end();
}

ArtifactName name_of(const schema::LedgerModelRow& row) {
  return ArtifactName::parse(row.namespace_name, row.name);
}

}  // namespace

const std::optional<KpiDefinition>& EntryResolver::find_kpi(const Name& id) {
  const std::string folded = id.folded();
  const auto known = kpis_.find(folded);
  if (known != kpis_.end()) return known->second;
  return kpis_.emplace(folded, definitions_.find(id)).first->second;
}

const AccessService::Standing& EntryResolver::standing(const Name& ns) {
  const std::string folded = ns.folded();
  const auto known = standings_.find(folded);
  if (known != standings_.end()) return known->second;
  return standings_.emplace(folded, access_.standing(caller_, ns)).first->second;
}

const schema::LedgerModelRow& EntryResolver::get_model(const Reference& ref) {
  const auto& [artifact, version] = ref;
  const std::string text = artifact.folded() + "@" + version.text();
  auto known = models_.find(text);
  if (known == models_.end()) {
    std::optional<schema::LedgerModelRow> found;
    if (may_fetch(caller_, standing(artifact.ns()))) {
      found = database_.read("find a model", [&](schema::Transaction& tx) {
        const std::string ns = artifact.ns().folded();
        const std::string name = artifact.name().folded();
        const auto* digest = std::get_if<Digest>(&version.value());
        if (digest) return schema::find_ledger_model_by_digest(tx, ns, name, *digest);
        const auto number = std::get<VersionNumber>(version.value());
        return schema::find_ledger_model(tx, ns, name, number);
      });
    }
    known = models_.emplace(text, std::move(found)).first;
  }
  if (known->second) return *known->second;
  throw problem(ErrorCode::not_found, "/model", "is not there: " + ref.text());
}

// An entry without a model that belongs to a KPI of one namespace can only be of that one.
Name EntryResolver::namespace_of(const SentEntry& sent, const KpiDefinition& kpi) const {
  if (sent.ns) return *sent.ns;
  if (sent.model) return sent.model->artifact.ns();
  if (kpi.namespaces.size() == 1) {
    return Name::parse("a namespace", kpi.namespaces.front());
  }
  throw problem(ErrorCode::unprocessable, "/namespace",
                "is required where no model is given");
}

// Who may write where a KPI counts may know of the KPI, whatever else it names.
void EntryResolver::require_writer(const SentEntry& sent, const KpiDefinition& kpi,
                                   const Name& ns, const Standing& standing) {
  const bool is_there = standing.role >= Role::reader;
  if (!is_there) {
    throw problem(ErrorCode::not_found, "/namespace", "is not there: " + ns.text());
  }
  if (!counts_in(kpi, standing.ns.id)) {
    if (!definitions_.may_read(caller_, kpi)) throw no_kpi(sent.kpi);
    throw problem(ErrorCode::unprocessable, "/namespace",
                  fmt::format("is {}, and {} counts what is in {}", standing.ns.name,
                              kpi.id, fmt::join(kpi.namespaces, ", ")));
  }
  if (standing.role < Role::writer) {
    throw Error(ErrorCode::permission_denied,
                fmt::format("this needs the role writer in {}, and {} has the role {}",
                            standing.ns.name, caller_.name, to_string(standing.role)));
  }
  const bool may_write = caller_.scopes.has(Scope::write);
  if (may_write || (caller_.scopes.has(Scope::kpi) && !sent.is_correction())) return;
  throw Error(ErrorCode::permission_denied,
              sent.is_correction() ? "a correction needs a token with the scope write"
                                   : "this needs a token with the scope kpi, or write");
}

Amount EntryResolver::value_of(const SentEntry& sent, const KpiDefinition& kpi) const {
  if (!sent.value && kpi.count == KpiDefinition::Count::sum) {
    throw problem(ErrorCode::unprocessable, "/value",
                  "is required: " + kpi.id + " is a sum");
  }
  const Amount value = sent.value.value_or(Amount::of(1));
  if (value.is_negative() && !kpi.allows_negative) {
    throw problem(ErrorCode::unprocessable, "/value",
                  "is negative, which " + kpi.id + " does not allow");
  }
  return value;
}

void EntryResolver::check_time(Timestamp occurred_at) const {
  if (occurred_at > now_ + kAheadMax) {
    throw problem(ErrorCode::unprocessable, "/occurred_at",
                  "is more than a day after the server's time");
  }
  if (occurred_at < Timestamp()) {
    throw problem(ErrorCode::unprocessable, "/occurred_at", "is before 1970");
  }
}

ResolvedEntry EntryResolver::resolve(const SentEntry& sent) {
  const auto& kpi = find_kpi(sent.kpi);
  if (!kpi) throw no_kpi(sent.kpi);
  const Name ns = namespace_of(sent, *kpi);
  const Standing& where = standing(ns);
  require_writer(sent, *kpi, ns, where);

  ResolvedEntry resolved;
  LedgerEntry& entry = resolved.entry;
  entry.kpi = kpi->id;
  entry.ns = where.ns.name;
  entry.event_id = sent.event_id;
  entry.value = value_of(sent, *kpi);
  entry.evidence = sent.evidence;
  entry.corrects = sent.corrects;
  entry.reason = sent.reason;
  if (!sent.is_correction()) {
    check_time(sent.occurred_at.value());
    entry.occurred_at = sent.occurred_at;
    entry.subject = sent.subject;
    entry.cpu_seconds = sent.cpu_seconds;
    entry.gpu_seconds = sent.gpu_seconds;
    entry.energy_kwh = sent.energy_kwh;
    if (sent.model) {
      resolved.model = get_model(*sent.model);
      resolved.named_by_digest =
          std::holds_alternative<Digest>(sent.model->version.value());
      entry.model = numbered_reference(name_of(*resolved.model), resolved.model->number);
    }
  }
  resolved.key = {.kpi_id = kpi->counting.kpi_id,
                  .namespace_id = where.ns.id,
                  .event_id = sent.event_id};
  resolved.hash = entry.hash();
  return resolved;
}

}  // namespace mendel::registry
