// libpqxx 6.4 forgets the result that told it of a broken connection; libgit2 1.5 forgets
// the match data of its regular expressions, which it has from PCRE2.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:PQmakeEmptyPGresult\n"
         "leak:libpcre2\n";
}
