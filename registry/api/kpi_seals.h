#pragma once

#include "registry/api/message.h"
#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Reports that do not change any more.
Response seal_report(const Request& request, Services& services);
Response list_sealed_reports(const Request& request, Services& services);
Response get_sealed_report(const Request& request, Services& services);

// Of the sealed document, or of the one in the body.
Response verify_report(const Request& request, Services& services);

}  // namespace mendel::registry::api
