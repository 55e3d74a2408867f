# Writes OUTPUT, a source that defines FUNCTION in mendel::registry::api to return the text of
# INPUT.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include \"registry/api/openapi.h\"

namespace mendel::registry::api {

std::string_view ${FUNCTION}() { return R\"embedded(${text})embedded\"; }

}  // namespace mendel::registry::api
")
