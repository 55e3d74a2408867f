/* bin/mendel of the relocatable client: starts lib/mendel with the loader and the libraries that
 * lie beside it, whatever the host has or has not. It is linked statically, and needs no shell
 * and no /proc.
 *
 * The libraries are named to the loader alone. LD_LIBRARY_PATH does not reach lib/mendel, and
 * stays as it is for the programs that it starts.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static int fail(const char* what) {
  fputs("mendel: ", stderr);
  perror(what);
  return 127;
}

/* Takes the last part off a path. */
static void go_up(char* path) {
  char* slash = strrchr(path, '/');
  if (slash) *slash = '\0';
}

int main(int argc, char** argv) {
  char root[PATH_MAX];
  if (!realpath((const char*)getauxval(AT_EXECFN), root)) return fail("where am I?");
  go_up(root);
  go_up(root);

  char loader[PATH_MAX + 16], libraries[PATH_MAX + 16], program[PATH_MAX + 16];
  snprintf(loader, sizeof loader, "%s/lib/ld.so", root);
  snprintf(libraries, sizeof libraries, "%s/lib", root);
  snprintf(program, sizeof program, "%s/lib/mendel", root);

  char* const before[] = {loader,    "--inhibit-cache", "--library-path", libraries,
                          "--argv0", argv[0],           program};
  const size_t count = sizeof before / sizeof *before;
  char** arguments = calloc(count + (size_t)argc, sizeof *arguments);
  if (!arguments) return fail("out of memory");
  memcpy(arguments, before, sizeof before);
  memcpy(arguments + count, argv + 1, (size_t)(argc - 1) * sizeof *argv);
  execv(loader, arguments);
  return fail(loader);
}
