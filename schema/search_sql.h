#pragma once

#include <cstdint>

#include "schema/access.h"
#include "schema/composer.h"
#include "schema/search.h"
#include "schema/search_query.h"

namespace mendel::schema {

// The statement that finds what a query asks for, and the rows of one page with it.
ComposedStatement compose_search(const NamespaceViewer& viewer, const SearchQuery& query,
                                 const SearchPage& page);

}  // namespace mendel::schema
