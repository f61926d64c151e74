# shellcheck shell=bash
# Checks of format, style and protocols. Each returns its verdict and prints what is wrong. Sourced, never run.

own_sources() { git -C "$UNBRAID_ROOT" ls-files -- '*.cc' '*.h'; }

check_format() {
  (cd "$UNBRAID_ROOT" && own_sources | xargs clang-format-14 --dry-run -Werror)
}

check_shell() {
  (cd "$UNBRAID_ROOT" && git ls-files -- '*.sh' '.ci/run' | xargs shellcheck -x -S warning)
}

# buf comes as a plain program inside a package whose version and hash are pinned in scripts/tools. It is installed under
# build, so that the source tree stays as it was cloned.
check_protos() {
  local home=$UNBRAID_TOOLS/buf
  local buf=$home/node_modules/@bufbuild/buf-linux-x64/bin/buf
  if ! cmp -s "$UNBRAID_ROOT/scripts/tools/package-lock.json" "$home/package-lock.json" || [[ ! -x $buf ]]; then
    mkdir -p "$home"
    cp "$UNBRAID_ROOT"/scripts/tools/package{,-lock}.json "$home"
    (cd "$home" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return 1
  fi
  (cd "$UNBRAID_ROOT" && "$buf" lint && "$buf" format --diff --exit-code)
}

# clang's warnings (thread-safety analysis among them) and clang-tidy's checks, all as errors, in one pass over the services
# and the client. The worker's torch folder is left out: torch's headers alone take longer than everything else together.
check_lint() {
  local tree=$UNBRAID_BUILD/tidy stamps=$UNBRAID_BUILD/tidy/stamps
  run_logged "$UNBRAID_BUILD/logs/configure-tidy.log" \
    cmake -S "$UNBRAID_ROOT" --preset tidy -DUNBRAID_BUILD_TESTS=OFF || return 1
  run_logged "$UNBRAID_BUILD/logs/build-tidy.log" ninja -C "$tree" proto/all || return 1
  mkdir -p "$stamps"
  # shellcheck disable=SC2016  # expanded by the inner shell
  (cd "$UNBRAID_ROOT" && lint_pending "$stamps" |
    xargs -r -P "$(nproc)" -n 2 bash -c 'clang-tidy-14 --quiet -p "$0" "$1" && : >"$2"' "$tree")
}

# lint_pending STAMPS: prints SOURCE and STAMP of each source that was not found clean as it is. A stamp's name is made of
# all that a verdict depends on: the source, every header and protocol of ours, the rules.
lint_pending() {
  local stamps=$1 common source digest
  common=$(git ls-files -- '*.h' '*.proto' .clang-tidy CMakePresets.json 'cmake/*' | xargs cat | sha256sum)
  own_sources | grep -E '^(services|clients)/.*\.cc$' | grep -v '^services/worker/torch/' | while read -r source; do
    digest=$({ printf '%s\n' "$common" "$source"; cat "$source"; } | sha256sum)
    digest=$stamps/${digest%% *}
    [[ -e $digest ]] || printf '%s\n%s\n' "$source" "$digest"
  done
}
