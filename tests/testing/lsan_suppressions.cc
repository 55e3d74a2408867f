// libpqxx 6.4 forgets the result that told it of a broken connection.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:PQmakeEmptyPGresult\n";
}
