#pragma once

#include "registry/api/message.h"
#include "registry/api/request.h"
#include "registry/services/services.h"
#include "registry/services/version.h"

namespace mendel::registry::api {

// Counts an answer with a version's bytes as a download of it, if it begins with the first
// of them: HEAD, 304, and the later parts of a file are none.
void count_download(const Request& request, Services& services, const Version& version,
                    const Response& response);

// GET …/versions/{ref}/downloads
Response get_downloads(const Request& request, Services& services);

}  // namespace mendel::registry::api
