#include "registry/services/egress/address_rules.h"

#include <algorithm>

#include "registry/services/egress/authority.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::string_view kAnySubdomain = "*.";

[[noreturn]] void refuse(std::string_view exception) {
  throw Error(
      ErrorCode::invalid_argument,
      "--egress-allow: '" + std::string(exception) +
          "' is neither a network, such as 10.0.0.0/8, nor the name of a host, such "
          "as git.example.org or *.example.org");
}

std::string host_name(std::string_view exception, std::string_view text) {
  try {
    const auto authority = Authority::parse("the name", text);
    if (authority.user.empty() && !authority.port &&
        authority.host.find(':') == std::string::npos)
      return authority.host;
  } catch (const Error&) {  // said below, with what was given
  }
  refuse(exception);
}

}  // namespace

AddressRules AddressRules::parse(const std::vector<std::string>& exceptions) {
  AddressRules rules;
  for (std::string_view rest : exceptions) {
    for (;;) {
      const auto comma = rest.find(',');
      auto exception = rest.substr(0, comma);
      while (exception.starts_with(' ')) exception.remove_prefix(1);
      while (exception.ends_with(' ')) exception.remove_suffix(1);
      if (!exception.empty()) rules.add(exception);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return rules;
}

void AddressRules::add(std::string_view exception) {
  if (const auto network = IpNetwork::parse(exception)) {
    networks_.push_back(*network);
  } else if (exception.starts_with(kAnySubdomain)) {
    suffixes_.push_back("." + host_name(exception, exception.substr(kAnySubdomain.size())));
  } else {
    hosts_.push_back(host_name(exception, exception));
  }
}

bool AddressRules::names(std::string_view host) const {
  return std::ranges::find(hosts_, host) != hosts_.end() ||
         std::ranges::any_of(suffixes_, [&](const auto& suffix) {
           return host.size() > suffix.size() && host.ends_with(suffix);
         });
}

bool AddressRules::permit(Transport transport, std::string_view host,
                          const IpAddress& address) const {
  if (std::ranges::any_of(networks_, [&](const auto& n) { return n.contains(address); }))
    return true;
  if (names(host) && !address.is_never_named()) return true;
  return transport == Transport::https && address.is_public();
}

}  // namespace mendel::registry
