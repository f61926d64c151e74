# shellcheck shell=bash
# Checks of format, style and protocols. Each returns its verdict and prints what is wrong. Sourced, never run.

own_sources() { git -C "$UNBRAID_ROOT" ls-files -- '*.cc' '*.h'; }

check_format() {
  (cd "$UNBRAID_ROOT" && own_sources | xargs clang-format-14 --dry-run -Werror)
}

check_shell() {
  (cd "$UNBRAID_ROOT" && git ls-files -- '*.sh' '.ci/run' | xargs shellcheck -x -S warning)
}

check_protos() {
  (
    cd "$UNBRAID_ROOT/scripts/tools"
    [[ -x node_modules/.bin/buf ]] || npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cd "$UNBRAID_ROOT"
    scripts/tools/node_modules/.bin/buf lint
  )
}

# clang's warnings (thread-safety analysis among them) and clang-tidy's checks, all as errors. The worker's torch folder is left
# out: torch's headers alone take longer than everything else together.
check_lint() {
  run_logged "$UNBRAID_BUILD/logs/configure-tidy.log" cmake -S "$UNBRAID_ROOT" --preset tidy -DUNBRAID_BUILD_TESTS=OFF || return 1
  run_logged "$UNBRAID_BUILD/logs/build-tidy.log" ninja -C "$UNBRAID_BUILD/tidy" unbraid_proto_grpc || return 1
  (
    cd "$UNBRAID_ROOT"
    own_sources | grep -E '^(services|clients)/.*\.cc$' | grep -v '^services/worker/torch/' |
      xargs -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p "$UNBRAID_BUILD/tidy" 2>/dev/null
  )
}
