#pragma once

#include <functional>
#include <string>

#include "cli/api_client.h"
#include "storage/recipe.h"

namespace mendel::cli {

// Calls visit with each leaf of a stored file's recipe, in order. recipe_path as
// file_path() makes it. Returns false if the server has no such recipe. One leaf in memory.
bool visit_recipe(ApiClient& server, const std::string& recipe_path,
                  const std::function<void(const storage::Recipe& leaf)>& visit);

}  // namespace mendel::cli
