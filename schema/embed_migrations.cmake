# Writes OUTPUT, a C++ file that holds the text of each of MIGRATIONS as it stands on disk.

set(entries "")
foreach(file IN LISTS MIGRATIONS)
  get_filename_component(stem ${file} NAME_WE)
  if(NOT stem MATCHES "^0*([1-9][0-9]*)_([a-z_]+)$")
    message(FATAL_ERROR "${file} is not named like 0001_access.sql")
  endif()
  set(number ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  file(READ ${file} sql)
  string(APPEND entries "    {${number}, \"${name}\", R\"mendel(${sql})mendel\"},\n")
endforeach()

file(WRITE ${OUTPUT} "#include <vector>

#include \"schema/migrator.h\"

namespace mendel::schema {

std::span<const Migration> embedded_migrations() {
  static const std::vector<Migration> kMigrations{
${entries}  };
  return kMigrations;
}

}  // namespace mendel::schema
")
