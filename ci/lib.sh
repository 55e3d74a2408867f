# What the scripts of this folder share; each sources it first.

set -euo pipefail

mendel_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What one checkout compiled, another need not compile again, wherever it lies.
export CCACHE_BASEDIR=$mendel_root CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Under the name of the script, so that a long log can be read afterwards.
say() {
  printf '%s: %s\n' "${0##*/}" "$*"
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "$1 must run as root, and there is no sudo"
  fi
}

# Prints those of the packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done
}

# Tries what apt knows already, and asks for its news only if that was not enough.
apt_install() {
  local command=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  as_root "${command[@]}" install --no-install-recommends "$@" >/dev/null 2>&1 </dev/null || {
    as_root "${command[@]}" update </dev/null
    as_root "${command[@]}" install --no-install-recommends "$@" >/dev/null </dev/null
  }
}

# Debian's postgresql-15 makes and starts a cluster "main" when it is installed. Nothing of ours
# uses it, so it is told not to, this once.
install_postgresql() {
  local settings=/etc/postgresql-common/createcluster.conf
  apt_install postgresql-common
  as_root cp -p "$settings" "$settings.mendel"
  as_root sh -c "echo 'create_main_cluster = false' >> '$settings'"
  apt_install postgresql-15
  as_root mv "$settings.mendel" "$settings"
}

# install_packages LIST…: the Debian packages in ci/packages.LIST.
install_packages() {
  local lists=("${@/#/$mendel_root/ci/packages.}") wanted missing
  mapfile -t wanted < <(cat "${lists[@]}")
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "needs Debian 12's packages: ${missing[*]}"
  say "installing ${missing[*]}"
  if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
    install_postgresql
  fi
  apt_install "${missing[@]}"
}

# python_program NAME VERSION: the path of a program from PyPI, which is installed if it is missing,
# in an environment of its own.
python_program() {
  local name=$1 version=$2
  local environment=${XDG_CACHE_HOME:-$HOME/.cache}/mendel/$name-$version
  if [[ ! -x $environment/bin/$name ]]; then
    say "installing $name $version" >&2
    python3 -m venv "$environment" &&
      "$environment/bin/pip" install --quiet "$name==$version" >&2 || return
  fi
  printf '%s\n' "$environment/bin/$name"
}

# configure_and_build PRESET [TARGET…]: in build/PRESET; prints only what is wrong.
configure_and_build() {
  local preset=$1 log=$mendel_root/build/$1.log
  shift
  mkdir -p "$mendel_root/build"
  say "building $preset"
  (
    cd "$mendel_root"
    cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}
  ) >"$log" 2>&1 </dev/null || {
    grep -E 'error:|^FAILED|CMake Error|undefined reference' -A 3 "$log" | head -n 60 >&2
    die "$preset does not build; the whole log is in $log"
  }
}
