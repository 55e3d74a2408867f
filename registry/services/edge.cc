#include "registry/services/edge.h"

#include <nlohmann/json.hpp>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr EdgeRole kRoles[] = {EdgeRole::trained_on, EdgeRole::validated_on,
                               EdgeRole::parent, EdgeRole::environment,
                               EdgeRole::component};

std::string text_of(const nlohmann::json& edge, const char* member) {
  const auto& value = edge.at(member);
  return value.is_null() ? "" : value.get<std::string>();
}

PedigreeEdge parse_edge(const nlohmann::json& edge) {
  const std::string role = text_of(edge, "role");
  const auto known = parse_edge_role(role);
  if (!known) throw Error(ErrorCode::data_loss, "an edge has the unknown role " + role);
  PedigreeEdge parsed{.role = *known,
                      .name = text_of(edge, "name"),
                      .ref = text_of(edge, "ref"),
                      .uri = text_of(edge, "uri"),
                      .digest = std::nullopt};
  if (const std::string hex = text_of(edge, "digest"); !hex.empty()) {
    parsed.digest = Digest::parse("sha256:" + hex);
  }
  return parsed;
}

}  // namespace

std::string_view to_string(EdgeRole role) {
  switch (role) {
    case EdgeRole::trained_on: return "trained-on";
    case EdgeRole::validated_on: return "validated-on";
    case EdgeRole::parent: return "parent";
    case EdgeRole::environment: return "environment";
    case EdgeRole::component: return "component";
  }
  return "";
}

std::optional<EdgeRole> parse_edge_role(std::string_view text) {
  for (const EdgeRole role : kRoles) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

std::string_view PedigreeEdge::ns() const {
  return std::string_view(ref).substr(0, ref.empty() ? 0 : ref.find('/'));
}

std::vector<PedigreeEdge> parse_edges(const std::string& json) {
  std::vector<PedigreeEdge> edges;
  if (json.empty()) return edges;
  for (const auto& edge : nlohmann::json::parse(json)) edges.push_back(parse_edge(edge));
  return edges;
}

}  // namespace mendel::registry
