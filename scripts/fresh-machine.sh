#!/usr/bin/env bash
# Proves that a clone needs nothing but a bare Debian 12: makes one in a folder, clones this repository's last commit
# into it, and runs a command there (scripts/test.sh by default).
#
#   scripts/fresh-machine.sh [--keep] [COMMAND...]
#
# The bare system is made once and kept as an archive in build/cache; each run starts from that. Needs root and
# debootstrap. The package mirror is the one this machine uses.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

BASE=$UNBRAID_BUILD/cache/bookworm-minbase.tar
KEEP=0

# The first mirror of this machine's own package sources, in either of apt's two notations. A machine need not have each of these files.
host_mirror() {
  {
    awk '/^URIs:/ { print $2 }' /etc/apt/sources.list.d/*.sources || true
    awk '$1 == "deb" { for (i = 2; i <= NF; ++i) if ($i ~ /^[a-z]+:\/\//) print $i }' \
      /etc/apt/sources.list /etc/apt/sources.list.d/*.list || true
  } 2>/dev/null | head -n 1
}

make_base() {
  local mirror root
  [[ -s $BASE ]] && return 0
  mirror=$(host_mirror)
  [[ -n $mirror ]] || die "this machine's package sources name no mirror"
  root=$(mktemp -d /var/tmp/unbraid-base.XXXXXX)
  say "making a bare Debian 12 (once)"
  run_logged "$UNBRAID_BUILD/logs/debootstrap.log" debootstrap --variant=minbase bookworm "$root" "$mirror"
  mkdir -p "$(dirname "$BASE")"
  tar -C "$root" --numeric-owner -cf "$BASE.part" .
  mv "$BASE.part" "$BASE"
  rm -rf --one-file-system "$root"
}

# Settings that make the clients of package registries work here: sources, certificates, name resolution.
copy_host_settings() {
  local root=$1
  rm -f "$root/etc/apt/sources.list"
  cp -a /etc/apt/sources.list.d/*.sources "$root/etc/apt/sources.list.d/" 2>/dev/null || true
  cp -a /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

clone_into() {
  local root=$1
  git clone --quiet --no-hardlinks "$UNBRAID_ROOT" "$root/root/unbraid"
}

# In namespaces of its own, so that mounts and whatever the command leaves running end with it.
run_inside() {
  local root=$1
  shift
  # shellcheck disable=SC2016  # expanded inside
  unshare --mount --pid --fork --kill-child bash -c '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" env HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      bash -c "cd /root/unbraid && \"\$@\"" inside "$@"
  ' outside "$root" "$@" </dev/null &
  # The first process of such a namespace takes no signal but the one that cannot be refused.
  INSIDE=$!
  wait "$INSIDE"
}

# shellcheck disable=SC2317  # called by the trap
finish() {
  if kill -KILL "${INSIDE:-}" 2>/dev/null; then wait "$INSIDE" 2>/dev/null || true; fi
  ((KEEP)) || rm -rf --one-file-system "$ROOT"
}

main() {
  if [[ ${1:-} == --keep ]]; then
    KEEP=1
    shift
  fi
  (($# > 0)) || set -- scripts/test.sh
  [[ $(id -u) == 0 ]] || die "only root can make a system in a folder"
  have debootstrap || die "debootstrap is missing; install it with: apt-get install debootstrap"
  make_base
  # Not local: the trap below runs after this function.
  ROOT=$(mktemp -d /var/tmp/unbraid-fresh.XXXXXX)
  ((KEEP == 0)) || say "the system stays in $ROOT"
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  tar -C "$ROOT" -xf "$BASE"
  copy_host_settings "$ROOT"
  clone_into "$ROOT"
  run_inside "$ROOT" "$@"
}

main "$@"
