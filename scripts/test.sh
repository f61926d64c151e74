#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs all checks and tests. Its last line is `N passed, N failed`.
#
#   scripts/test.sh                          everything
#   scripts/test.sh --ring unit|component|integration    one ring of the tests, without the checks
#   scripts/test.sh --libtorch2              every test of the worker, against an upstream libtorch 2 (without it: those that touch it)
#   scripts/test.sh --checks                 the checks alone
#   scripts/test.sh --fuzz                   the fuzz targets alone, for FUZZ_SECONDS each
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"
. "$UNBRAID_ROOT/scripts/lib/build.sh"
. "$UNBRAID_ROOT/scripts/lib/checks.sh"

PASSED=0
FAILED=0
FUZZ_SECONDS=60
GRPCURL_VERSION=v1.8.7 # the newest that Debian's Go builds

# The integration ring mounts small disks for services that are to run out of room. Whoever may not is told so now, and not when most
# of it has run: it counts as one failure then, and does not begin.
check_mount() {
  local as_root=() disk
  if [[ $(id -u) != 0 ]]; then
    have sudo || refuse_integration "the integration ring mounts small disks; run this as root, or install sudo" || return
    sudo -n true 2>/dev/null || sudo -v || refuse_integration "the integration ring mounts small disks, which needs root or sudo" || return
    as_root=(sudo -n)
    keep_sudo &
  fi
  disk=$(mktemp -d)
  if ! "${as_root[@]}" mount -t tmpfs -o size=64k unbraid-check "$disk"; then
    rmdir "$disk"
    refuse_integration "the integration ring mounts small disks (tmpfs), which this machine refuses; a container needs the capability CAP_SYS_ADMIN"
    return
  fi
  if ! "${as_root[@]}" umount "$disk" || ! rmdir "$disk"; then die "the disk mounted at $disk for a try does not go away"; fi
}

# Always false.
refuse_integration() {
  say "error: $1"
  FAILED=$((FAILED + 1))
  return 1
}

# Keeps what sudo was told from growing old while this script runs.
keep_sudo() {
  exec </dev/null >/dev/null 2>&1
  while kill -0 "$$" && sudo -n -v; do sleep 30; done
}

# count NAME COMMAND...: runs a check and counts its verdict.
count() {
  local name=$1 begin=$SECONDS log=$UNBRAID_BUILD/logs/check-$1.log
  shift
  if "$@" >"$log" 2>&1; then
    PASSED=$((PASSED + 1))
    say "check $name: passed ($((SECONDS - begin)) s)"
  else
    FAILED=$((FAILED + 1))
    tail -n 60 "$log" >&2
    say "check $name: FAILED; all of its output is in $log"
  fi
}

build_grpcurl() {
  [[ -x $UNBRAID_TOOLS/bin/grpcurl ]] && return 0
  say "building grpcurl"
  run_logged "$UNBRAID_BUILD/logs/grpcurl.log" env GOBIN="$UNBRAID_TOOLS/bin" GOFLAGS=-mod=mod \
    go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$GRPCURL_VERSION"
}

# run_tests NAME PRESET JOBS CTEST_OPTION...: runs the chosen tests of a build. None at all, and one that was skipped, count as failures.
run_tests() {
  local name=$1 preset=$2 jobs=$3 report=$UNBRAID_BUILD/logs/junit-$1.xml
  shift 3
  rm -f "$report"
  ctest --test-dir "$UNBRAID_BUILD/$preset" "$@" -j "$jobs" --output-on-failure --output-junit "$report" >&2 || true
  local passed failed
  read -r passed failed < <(/usr/bin/python3 - "$report" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
try:
    cases = list(tree.parse(sys.argv[1]).getroot().iter("testcase"))
except OSError:
    cases = []
passed = sum(case.get("status") == "run" for case in cases)
print(passed, max(len(cases) - passed, 0 if cases else 1))
PYTHON
  )
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
  say "$name: $passed passed, $failed failed"
}

# run_ring RING: the tests with this label.
run_ring() { run_tests "ring-$1" release "$(nproc)" -L "^$1\$"; }

build_libtorch2() {
  "$UNBRAID_ROOT/scripts/libtorch.sh" >/dev/null && build_cmake release worker_all && build_cmake libtorch2 worker_all
}

# run_libtorch2 RING...: the worker's tests of these rings, with an upstream libtorch 2; in the component ring also the
# comparison with the release build.
run_libtorch2() {
  local ring
  say "building the worker with libtorch 2"
  if ! build_libtorch2; then
    FAILED=$((FAILED + 1))
    say "libtorch 2: FAILED"
    return 0
  fi
  for ring in "$@"; do
    run_tests "libtorch2-$ring" libtorch2 1 -L "^$ring\$" -R '_worker_test:|^generations:'
  done
}

# Each fuzz target counts as a test. A run that never came to its targets is one failure.
run_fuzz() {
  local report=$UNBRAID_BUILD/logs/fuzz-report.log status=0 passed failed
  "$UNBRAID_ROOT/scripts/fuzz.sh" "$FUZZ_SECONDS" | tee "$report" >&2 || status=1
  passed=$(grep -c ': passed' "$report") || true
  failed=$(grep -c ': FAILED' "$report") || true
  ((status == 0 || failed > 0)) || failed=1
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
  say "fuzzing: $passed passed, $failed failed"
}

run_checks() {
  count format check_format
  count shell check_shell
  count protos check_protos
  count lint check_lint
}

main() {
  local rings=(unit component integration) libtorch2=(component) checks=1 fuzz=1
  local ring
  case ${1:-} in
    '') ;;
    --ring) rings=("${2:?name a ring}") libtorch2=() checks=0 fuzz=0 ;;
    --libtorch2) rings=() libtorch2=(unit component integration) checks=0 fuzz=0 ;;
    --checks) rings=() libtorch2=() fuzz=0 ;;
    --fuzz) rings=() libtorch2=() checks=0 ;;
    *) die "unknown option $1; see the head of this script" ;;
  esac
  if [[ " ${rings[*]} " == *' integration '* ]] && ! check_mount; then
    local kept=()
    for ring in "${rings[@]}"; do [[ $ring == integration ]] || kept+=("$ring"); done
    rings=("${kept[@]}")
  fi
  packages_install build run test export libtorch
  mkdir -p "$UNBRAID_BUILD/logs"
  ((checks == 0)) || run_checks
  if ((${#rings[@]} + ${#libtorch2[@]} > 0)); then build_models; fi
  if ((${#rings[@]} > 0)); then
    say "building everything"
    build_cmake release
    build_grpcurl
  fi
  for ring in "${rings[@]}"; do run_ring "$ring"; done
  ((${#libtorch2[@]} == 0)) || run_libtorch2 "${libtorch2[@]}"
  ((fuzz == 0)) || run_fuzz
  printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
  ((FAILED == 0 && PASSED > 0))
}

main "$@"
