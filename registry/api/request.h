#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/api/message.h"
#include "registry/services/access.h"
#include "registry/services/caller.h"

namespace mendel::registry::api {

class Metrics;

// One request as a handler sees it: routed, authenticated, allowed by its route's policy.
class Request {
 public:
  const RequestHead& head() const { return *head_; }
  const Caller& caller() const { return caller_; }

  // The namespace that the path names, where the route's policy looked at one.
  const AccessService::Standing& standing() const { return standing_; }
  const NamespaceInfo& ns() const { return standing_.ns; }

  // A part of the path by its name in the pattern, percent-decoded.
  std::string_view path(std::string_view name) const;

  // A query parameter, percent-decoded. A parameter that the route does not list is refused
  // before the handler is called.
  std::optional<std::string_view> query(std::string_view name) const;

  // ?limit= and ?after= of lists.
  std::size_t limit() const;  // 100 if absent; throws invalid_argument outside 1 … 1000
  std::optional<std::string_view> after() const { return query("after"); }

  std::optional<std::string_view> header(std::string_view name) const {
    return head_->headers.find(name);
  }

  // Whether If-None-Match of a GET names this entity tag (so: answer 304), or If-Match does
  // not (so: failed_precondition). '*' is any. RFC 9110 compares them weakly and strongly.
  bool none_match(std::string_view etag) const;
  void require_match(std::string_view etag) const;
  bool has_if_match() const { return header("If-Match").has_value(); }

  const Metrics& metrics() const { return *metrics_; }

  const std::string& body() const { return body_; }

  // The body as a JSON object. Throws invalid_argument with the position for anything else,
  // for members that occur twice, and for nesting deeper than 64.
  nlohmann::json json() const;

 private:
  friend class Router;

  const RequestHead* head_ = nullptr;
  const Metrics* metrics_ = nullptr;
  Caller caller_;
  AccessService::Standing standing_;
  std::vector<std::pair<std::string_view, std::string>> path_;  // names: the route table's
  std::vector<std::pair<std::string, std::string>> query_;
  std::string body_;
};

}  // namespace mendel::registry::api
