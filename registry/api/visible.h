#pragma once

#include <map>
#include <string>
#include <string_view>

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// What a caller may see of the references in a document: those into namespaces that it may
// read. The others are counted, and not named. For one request.
class Visible {
 public:
  Visible(const Request& request, Services& services)
      : request_(request), services_(services) {}

  bool operator()(std::string_view ref);  // "lhcb/x:3"

 private:
  const Request& request_;
  Services& services_;
  std::map<std::string, bool, std::less<>> readable_;  // namespaces
};

}  // namespace mendel::registry::api
