#include "registry/api/visible.h"

#include "registry/services/access.h"

namespace mendel::registry::api {

bool Visible::operator()(std::string_view ref) {
  const auto ns = ref.substr(0, ref.find('/'));
  const auto [known, is_new] = readable_.try_emplace(std::string(ns), false);
  if (is_new) {
    const auto standing =
        services_.access.standing(request_.caller(), Name::parse("a namespace", ns));
    known->second = may_read(request_.caller(), standing);
  }
  return known->second;
}

}  // namespace mendel::registry::api
