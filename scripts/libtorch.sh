#!/usr/bin/env bash
# Fetches an upstream libtorch 2 for the worker (processor only, x86_64), and prints its folder: what UNBRAID_LIBTORCH is set to.
#
#   scripts/libtorch.sh        build/libtorch/2.7.1
#
# The libraries come out of the Java package pytorch-native-cpu, which carries those of the official build; headers and CMake files out
# of the Python wheel of the same version. Maven and pip fetch them (210 MB), so that their settings of mirrors and proxies hold. Each is
# checked by size and SHA-256 before it is opened; what is whole is not fetched again when the script is interrupted, and both are removed
# when the folder is complete (500 MB).
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$UNBRAID_ROOT/scripts/lib/packages.sh"

VERSION=2.7.1
COPY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy
JAR=pytorch-native-cpu-$VERSION-linux-x86_64.jar
JAR_BYTES=111597418
JAR_SHA256=1769928feaaa2389b4aa68390e7787ce1707290258b167d016a200fced4b8c39
# That of another processor: it is the one without CUDA, an eighth of the size, and has the same headers (docs/adr/0014-libtorch.md).
WHEEL_PLATFORM=manylinux_2_28_aarch64
WHEEL=torch-$VERSION-cp311-cp311-$WHEEL_PLATFORM.whl
WHEEL_BYTES=99093039
WHEEL_SHA256=236f501f2e383f1cb861337bdf057712182f910f10aeaf509065d54d339e49b2

LIBTORCH=${UNBRAID_LIBTORCH_CACHE:-$UNBRAID_BUILD/libtorch}
DOWNLOADS=$LIBTORCH/downloads
TRIES=3

# is_whole FILE BYTES SHA256
is_whole() {
  [[ -f $1 && $(stat -c %s "$1") == "$2" ]] && sha256sum --status -c <<<"$3  $1"
}

# Both leave their file in the folder $1.
fetch_jar() {
  mvn -B -Dmaven.repo.local="$DOWNLOADS/maven" "$COPY_PLUGIN" \
    -Dartifact="ai.djl.pytorch:pytorch-native-cpu:$VERSION:jar:linux-x86_64" -DoutputDirectory="$1"
}

fetch_wheel() {
  /usr/bin/python3 -m pip download --no-deps --only-binary :all: --platform "$WHEEL_PLATFORM" --python-version 3.11 -d "$1" \
    "torch==$VERSION"
}

# provide FILE BYTES SHA256 COMMAND: after it, the file is in DOWNLOADS as it was pinned, or the script has ended.
provide() {
  local file=$1 bytes=$2 sha256=$3 fetch=$4 part=$DOWNLOADS/part try
  is_whole "$DOWNLOADS/$file" "$bytes" "$sha256" && return 0
  for ((try = 1; try <= TRIES; ++try)); do
    say "fetching $file"
    rm -rf "$part"
    run_logged "$UNBRAID_BUILD/logs/libtorch.log" "$fetch" "$part" || continue
    is_whole "$part/$file" "$bytes" "$sha256" ||
      die "$file is not what was pinned: expected $bytes bytes with SHA-256 $sha256; nothing of it was used"
    mv -f "$part/$file" "$DOWNLOADS/$file"
    return 0
  done
  die "could not fetch $file in $TRIES tries"
}

# The folder appears whole or not at all.
unpack() {
  local part=$LIBTORCH/part
  rm -rf "$part"
  unzip -q "$DOWNLOADS/$WHEEL" 'torch/include/*' 'torch/share/cmake/*' -d "$part"
  unzip -q -j "$DOWNLOADS/$JAR" 'pytorch/cpu/linux-x86_64/*' -d "$part/torch/lib"
  mv "$part/torch" "$LIBTORCH/$VERSION"
  rm -rf "$part" "$DOWNLOADS"
}

main() {
  [[ $(uname -m) == x86_64 ]] || die "the pinned libraries are for x86_64; set UNBRAID_LIBTORCH to the folder of another libtorch"
  packages_install libtorch
  mkdir -p "$LIBTORCH"
  exec 9>"$LIBTORCH/lock"
  flock 9
  if [[ ! -d $LIBTORCH/$VERSION ]]; then
    mkdir -p "$DOWNLOADS"
    provide "$JAR" "$JAR_BYTES" "$JAR_SHA256" fetch_jar
    provide "$WHEEL" "$WHEEL_BYTES" "$WHEEL_SHA256" fetch_wheel
    unpack
  fi
  printf '%s\n' "$LIBTORCH/$VERSION"
}

main "$@"
