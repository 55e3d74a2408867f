#pragma once

#include <string>

#include "cli/api_client.h"

namespace mendel::cli {

enum class PedigreeDirection { up, down };

// What branches are drawn with.
struct TreeGlyphs {
  const char* branch;
  const char* last_branch;
  const char* trunk;
  const char* nothing;
  const char* made;  // "trained-on ← lhcb/lamarr-trk:2": that was made from what is above
};
extern const TreeGlyphs kUnicodeGlyphs;
extern const TreeGlyphs kAsciiGlyphs;

// A pedigree as the server gives it, {"nodes", "edges", "hidden"}, the first node being the
// root; lines of a tree. What comes twice is expanded once, and referred to after that.
std::string pedigree_tree(const Json& pedigree, PedigreeDirection direction,
                          const TreeGlyphs& glyphs);

// The same for Graphviz. An arrow leads from what was made to what it was made from.
std::string pedigree_dot(const Json& pedigree);

}  // namespace mendel::cli
