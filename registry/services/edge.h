#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/digest.h"

namespace mendel::registry {

// How a version came from something else. All but component are inputs; a model set is made
// of components.
enum class EdgeRole : std::uint8_t {
  trained_on,
  validated_on,
  parent,
  environment,
  component
};
std::string_view to_string(EdgeRole role);  // "trained-on"
std::optional<EdgeRole> parse_edge_role(std::string_view text);

// One edge of the pedigree as it leaves a version: to another version, by the number and
// digest that it was frozen to, or to something outside of the registry.
struct PedigreeEdge {
  EdgeRole role = EdgeRole::trained_on;
  std::string name;  // of a component, or the name that an input goes by; may be empty
  std::string ref;   // "lhcb/calib-2016:3"; empty for what lies outside
  std::string uri;
  std::optional<Digest> digest;  // absent: what lies at uri cannot be verified

  // The namespace of ref, as it is spelled; empty for what lies outside.
  std::string_view ns() const;
};

// What schema::VersionRow has as edges. Throws data_loss.
std::vector<PedigreeEdge> parse_edges(const std::string& json);

}  // namespace mendel::registry
