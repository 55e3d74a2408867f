#include "registry/api/kpi_seals.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registry/api/content_answer.h"
#include "registry/api/json.h"
#include "registry/api/kpi_report_claim.h"
#include "registry/api/kpi_report_json.h"
#include "registry/services/ledger/report_check.h"
#include "registry/services/ledger/report_service.h"
#include "registry/services/ledger/seals.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

json seal_json(const Seal& seal) {
  return {{"digest", seal.digest.to_string()},
          {"at", format_rfc3339(seal.at)},
          {"until", format_rfc3339(seal.until)},
          {"chain", {{"sequence", seal.sequence}, {"hash", seal.chain_hash.to_string()}}},
          {"sealed_at", format_rfc3339(seal.sealed_at)},
          {"sealed_by", seal.sealed_by}};
}

ReportService::Question asked_report(const Request& request) {
  ObjectReader body(request.json());
  ReportService::Question question;
  question.at = body.parsed("at", parse_rfc3339);
  question.until = body.parsed("until", parse_rfc3339);
  question.by = body.optional_string("by").value_or("");
  body.finish();
  return question;
}

Digest digest_of(const Request& request) { return Digest::parse(request.path("digest")); }

// No document, and none in JSON: the one that was sealed is meant.
bool has_document(const Request& request) {
  return !request.body().empty() && request.body() != "{}";
}

// Of the document itself, before its numbers are looked at.
std::vector<ReportFinding> look_at(const std::string& document, const Digest& digest,
                                   const std::optional<Seal>& seal, SealService& seals) {
  const Digest actual = Digest::of(document);
  std::vector<ReportFinding> findings{
      {"document", actual == digest, "its SHA-256 is " + actual.hex()}};
  if (!seal) {
    findings.push_back({"seal", false, "no report of this digest was sealed here"});
    return findings;
  }
  findings.push_back(
      {"seal", true,
       "sealed by " + seal->sealed_by + " at " + format_rfc3339(seal->sealed_at)});
  const bool is_kept = seals.stored_copy(digest) == seal->document;
  findings.push_back({"copy", is_kept,
                      is_kept ? "the object store has the same document"
                              : "the object store does not have this document"});
  return findings;
}

}  // namespace

Response seal_report(const Request& request, Services& services) {
  const auto question = asked_report(request);
  if (!request.caller().scopes.has(Scope::write)) {
    throw Error(ErrorCode::permission_denied, "this needs a token with the scope write");
  }

  const Report report = services.kpi_reports.make(request.caller(), question);
  const json document = to_json(report);
  const Seal seal =
      services.seals.seal(request.caller(), report, storage::canonical_json(document));

  json answer = seal_json(seal);
  answer["chain"]["entries"] = report.chain.entry_count;
  answer["report"] = document;
  Response response = json_response(201, answer);
  response.headers.set("Location", "/api/v1/kpi-reports/" + seal.digest.to_string());
  return response;
}

Response list_sealed_reports(const Request& request, Services& services) {
  const auto page =
      services.seals.list(request.caller(), {request.limit(), request.after()});

  auto items = json::array();
  for (const Seal& seal : page.items) items.push_back(seal_json(seal));
  return with_etag(request, list_response(std::move(items), page.next));
}

// The bytes that were hashed, not a JSON document like them.
Response get_sealed_report(const Request& request, Services& services) {
  Seal seal = services.seals.get(request.caller(), digest_of(request));

  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("ETag", strong_tag(seal.digest.to_string()));
  response.headers.set("Repr-Digest", repr_digest(seal.digest));
  if (request.none_match(strong_tag(seal.digest.to_string()))) {
    response.status = 304;
    return response;
  }
  response.body = std::move(seal.document);
  return response;
}

Response verify_report(const Request& request, Services& services) {
  const Digest digest = digest_of(request);
  const auto seal = has_document(request) ? services.seals.find(request.caller(), digest)
                                          : services.seals.get(request.caller(), digest);
  const std::string& document = has_document(request) ? request.body() : seal->document;
  const ReportClaim claim = parse_report_claim(document);

  auto findings = look_at(document, digest, seal, services.seals);
  for (auto& finding : services.report_check.check(request.caller(), claim)) {
    findings.push_back(std::move(finding));
  }

  json checks = json::array();
  for (const ReportFinding& finding : findings) {
    checks.push_back(
        {{"what", finding.what}, {"ok", finding.is_ok}, {"detail", finding.detail}});
  }
  const bool holds = std::ranges::all_of(findings, &ReportFinding::is_ok);
  return json_response(200, {{"holds", holds}, {"checks", std::move(checks)}});
}

}  // namespace mendel::registry::api
