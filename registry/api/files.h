#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/api/request.h"
#include "registry/services/manifest_table.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// GET …/versions/{ref}/files: the manifest, as its canonical bytes.
Response get_manifest(const Request& request, Services& services);
std::optional<Response> get_manifest_from_memory(const Request& request,
                                                 Services& services);

// GET and HEAD …/versions/{ref}/files/{path...}
Response get_file(const Request& request, Services& services);
std::optional<Response> get_file_from_memory(const Request& request, Services& services);

// The stored file that a path means: links are followed, within the manifest. Throws
// not_found, saying what is there instead; invalid_argument where several platforms have
// the path and none was asked for.
const storage::ManifestFile& find_stored_file(const ManifestTable& manifest,
                                              std::string_view path,
                                              const std::vector<std::string>& platforms);

}  // namespace mendel::registry::api
