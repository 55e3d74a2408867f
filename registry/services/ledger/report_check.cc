#include "registry/services/ledger/report_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "registry/services/ledger/report_text.h"
#include "schema/ledger_chain.h"

namespace mendel::registry {

namespace {

// What differs between the parts that a report names and those that are there; empty:
// nothing. Models that somebody may not read have no name, and cannot be compared.
std::string compare_parts(const ReportClaim::Kpi& claimed, const KpiReport& counted) {
  std::map<std::string, ReportPart> parts;
  for (const ReportPart& part : counted.parts) parts.emplace(part.key, part);
  bool is_hidden = parts.erase(kHiddenVersion) > 0;
  for (const auto& claim : claimed.parts) {
    if (claim.key == kHiddenVersion) {
      is_hidden = true;
      continue;
    }
    const auto found = parts.find(claim.key);
    if (found == parts.end()) {
      if (is_hidden) continue;
      return fmt::format("the ledger has nothing for '{}'", claim.key);
    }
    const ReportPart& part = found->second;
    if (part.value.to_double() != claim.value || part.entries != claim.entries) {
      return fmt::format(
          "for '{}' the ledger gives {} in {} entries, the report says {} in {}", claim.key,
          part.value.text(), part.entries, number_text(claim.value), claim.entries);
    }
    parts.erase(found);
  }
  if (parts.empty() || claimed.is_cut || is_hidden) return "";
  return fmt::format("the report does not have '{}'", parts.begin()->first);
}

}  // namespace

std::vector<ReportFinding> ReportCheck::check(const Caller& caller,
                                              const ReportClaim& claim) {
  require_report_key(claim.by);
  std::vector<ReportFinding> findings{check_chain(claim)};
  const auto definitions = definitions_.list_at(caller, claim.at);
  for (const auto& kpi : claim.kpis) {
    findings.push_back(check_kpi(caller, claim, kpi, definitions));
  }
  return findings;
}

ReportFinding ReportCheck::check_chain(const ReportClaim& claim) {
  struct Found {
    std::optional<schema::ChainedBatchRow> end;
    std::optional<schema::ChainedBatchRow> next;
  };
  const Found found = database_.read("look at the ledger's chain", [&](auto& tx) {
    return Found{schema::find_batch(tx, claim.sequence),
                 schema::find_batch(tx, claim.sequence + 1)};
  });
  const auto finding = [](bool is_ok, std::string detail) {
    return ReportFinding{"chain", is_ok, std::move(detail)};
  };
  if (found.next && found.next->recorded_at <= claim.at) {
    return finding(false, "more batches had been recorded by then");
  }
  if (claim.sequence == 0) return finding(true, "the ledger was empty then");
  if (!found.end) {
    return finding(false, fmt::format("there is no batch {}", claim.sequence));
  }
  if (found.end->hash != claim.chain_hash) {
    return finding(false, fmt::format("the hash of batch {} is {}", claim.sequence,
                                      found.end->hash.to_string()));
  }
  if (found.end->entries_through != claim.chain_entries) {
    return finding(false, fmt::format("the chain has {} entries up to batch {}",
                                      found.end->entries_through, claim.sequence));
  }
  if (found.end->recorded_at > claim.at) {
    return finding(false, fmt::format("batch {} was recorded later", claim.sequence));
  }
  return finding(true, fmt::format("batch {} has this hash, {} entries up to it",
                                   claim.sequence, claim.chain_entries));
}

ReportFinding ReportCheck::check_kpi(const Caller& caller, const ReportClaim& claim,
                                     const ReportClaim::Kpi& kpi,
                                     const std::vector<KpiDefinition>& definitions) {
  const auto definition = std::ranges::find(definitions, kpi.id, &KpiDefinition::id);
  if (definition == definitions.end()) {
    return {kpi.id, false, "there is no such KPI that you may read"};
  }
  if (definition->revision != kpi.revision) {
    return {kpi.id, false,
            fmt::format("revision {} of its definition was in force then, not {}",
                        definition->revision, kpi.revision)};
  }
  const LedgerRange range{.from = std::nullopt,
                          .until = claim.until,
                          .at = claim.at,
                          .sequence = claim.sequence};
  const KpiReport counted =
      reports_.recount(caller, *definition, begin_with(*definition, range), claim.by);
  if (counted.value.to_double() != kpi.value || counted.entries != kpi.entries) {
    return {kpi.id, false,
            fmt::format("the ledger gives {} in {} entries, the report says {} in {}",
                        counted.value.text(), counted.entries, number_text(kpi.value),
                        kpi.entries)};
  }
  if (auto differs = compare_parts(kpi, counted); !differs.empty()) {
    return {kpi.id, false, std::move(differs)};
  }
  return {kpi.id, true,
          fmt::format("counted again: {} in {} entries, by revision {} of the definition",
                      counted.value.text(), counted.entries, kpi.revision)};
}

}  // namespace mendel::registry
