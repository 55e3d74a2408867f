#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// GET and HEAD …/versions/{ref}/archive: all files as one tar stream.
Response get_archive(const Request& request, Services& services);

// POST …/versions/{ref}/bundle: the bytes of many files, one after the other.
Response post_bundle(const Request& request, Services& services);

// GET …/versions/{ref}/recipe/{path...}: which chunks a file is made of.
Response get_recipe(const Request& request, Services& services);

}  // namespace mendel::registry::api
