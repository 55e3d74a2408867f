#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registry/services/egress/ip_address.h"

namespace mendel::registry {

// Where the server may connect to by itself. Without exceptions: by https to public
// addresses. An exception is what the operator lists (--egress-allow):
//
//   10.0.0.0/8, 192.168.1.7, fd00::/8   these addresses, by https and by plain http
//   git.inner.example.org               this host, wherever its name leads, by both; but
//   *.inner.example.org                 never to link-local or multicast addresses, which
//                                       only a network in the list permits
//
// A value. Any thread.
class AddressRules {
 public:
  AddressRules() = default;

  // Each text is one exception, or several with commas between. Throws invalid_argument
  // with the one that is wrong.
  static AddressRules parse(const std::vector<std::string>& exceptions);

  enum class Transport { https, plain_http };
  bool permit(Transport transport, std::string_view host, const IpAddress& address) const;

 private:
  void add(std::string_view exception);
  bool names(std::string_view host) const;

  std::vector<IpNetwork> networks_;
  std::vector<std::string> hosts_;     // lower case
  std::vector<std::string> suffixes_;  // ".inner.example.org"
};

}  // namespace mendel::registry
