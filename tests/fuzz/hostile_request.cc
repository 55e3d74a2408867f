#include "tests/fuzz/hostile_request.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "registry/api/json.h"
#include "registry/api/metric_body.h"
#include "registry/api/publish_body.h"
#include "registry/api/target.h"
#include "registry/http/request_parser.h"
#include "storage/base/error.h"
#include "storage/manifest.h"

namespace mendel::testing {

namespace {

using registry::http::RequestParser;

constexpr std::size_t kPieceSize = 3;

void require(bool promise) {
  if (!promise) std::abort();
}

bool blames_the_body(ErrorCode code) {
  return code == ErrorCode::invalid_argument || code == ErrorCode::unprocessable;
}

struct ParsedRequest {
  int status = 0;  // of a refusal
  bool complete = false;
  std::string body;
  RequestParser::Decoded end;
};

// Hands over pieces of the given size, as they could come over the network.
ParsedRequest parse(RequestParser& parser, std::string_view input, std::size_t piece_size) {
  ParsedRequest parsed;
  RequestParser::HeadResult head;
  std::size_t arrived = 0;
  while (head.state == RequestParser::HeadResult::incomplete && arrived < input.size()) {
    arrived += std::min(piece_size, input.size() - arrived);
    head = parser.parse_head(input.substr(0, arrived));
  }
  parsed.status = head.status;
  parsed.complete = head.state == RequestParser::HeadResult::complete;
  if (!parsed.complete || !parser.is_chunked()) return parsed;

  std::size_t taken = head.taken;
  std::vector<std::byte> output(piece_size);
  for (;;) {
    parsed.end = parser.decode_chunks(input.substr(taken, arrived - taken), output);
    taken += parsed.end.taken;
    parsed.body += as_text(std::span(output).first(parsed.end.made));
    if (parsed.end.state != RequestParser::Decoded::more) return parsed;
    if (parsed.end.taken > 0 || parsed.end.made > 0) continue;
    if (arrived == input.size()) return parsed;
    arrived += std::min(piece_size, input.size() - arrived);
  }
}

// Whoever routes the request reads these.
void read_head(const registry::api::RequestHead& head) {
  registry::api::token_of(head.headers.find("Authorization").value_or(""));
  try {
    for (const auto& part : registry::api::parse_target(head.target).parts) {
      require(part.find('\0') == std::string::npos);
    }
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
  }
}

void require_promises(const registry::MetricBatch& batch) {
  for (const auto& entry : batch.entries) {
    require(entry.name < batch.names.size());
    require(0 <= entry.step && entry.step <= registry::kMetricStepMax);
  }
  for (const std::string& name : batch.names) {
    require(!name.empty() && name.size() <= registry::api::kMetricNameSizeMax);
  }
}

// How many entries there were before the first broken line, or the end.
std::size_t read_lines(std::span<const std::byte> input, std::size_t piece_size) {
  std::size_t count = 0;
  registry::api::MetricLines lines([&](const registry::MetricBatch& batch) {
    require_promises(batch);
    count += batch.entries.size();
  });
  try {
    for (; !input.empty(); input = input.subspan(std::min(piece_size, input.size()))) {
      lines.append(input.first(std::min(piece_size, input.size())));
    }
    lines.finish();
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument ||
            error.code() == ErrorCode::too_large);
  }
  return count;
}

}  // namespace

bool read_hostile_body(std::span<const std::byte> input) {
  try {
    std::vector<registry::api::AttachedFile> attached;
    auto request = registry::api::read_publish_body(
        registry::api::parse_json(as_text(input)), ArtifactName::parse("lhcb", "x"),
        storage::ArtifactKind::model, attached);
    require(int(request.manifest.has_value()) + int(request.manifest_digest.has_value()) +
                int(request.checkpoint.has_value()) ==
            1);
    if (request.manifest) {
      storage::normalise(*request.manifest);
      storage::encode_manifest(*request.manifest);
    }
    return true;
  } catch (const Error& error) {
    require(blames_the_body(error.code()));
    return false;
  }
}

bool read_hostile_metrics(std::span<const std::byte> input) {
  require(read_lines(input, input.size() + 1) == read_lines(input, kPieceSize));
  try {
    require_promises(registry::api::parse_metrics(as_text(input)));
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

bool read_hostile_request(std::span<const std::byte> input) {
  const std::string_view text = as_text(input);
  RequestParser at_once{registry::http::Limits{}};
  RequestParser in_pieces{registry::http::Limits{}};
  const ParsedRequest whole = parse(at_once, text, std::max<std::size_t>(1, text.size()));
  const ParsedRequest pieces = parse(in_pieces, text, kPieceSize);
  require(whole.complete == pieces.complete);
  require(whole.body == pieces.body);
  require(whole.end.state == pieces.end.state);
  if (!whole.complete) return false;

  require(at_once.head().method == in_pieces.head().method);
  require(at_once.head().target == in_pieces.head().target);
  require(at_once.is_chunked() == in_pieces.is_chunked());
  require(at_once.keeps_alive() == in_pieces.keeps_alive());
  read_head(at_once.head());
  return !at_once.is_chunked() || whole.end.state == RequestParser::Decoded::end;
}

}  // namespace mendel::testing
