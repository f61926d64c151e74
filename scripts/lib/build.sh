# shellcheck shell=bash
# Builds the binaries and the model packages. What is up to date is not built again. Sourced, never run.

# build_cmake PRESET [TARGET...]: configures where that was never done, or before the presets changed, which ninja does not notice;
# then builds. Without a target: everything.
build_cmake() {
  local preset=$1 tree=$UNBRAID_BUILD/$1
  shift
  # Also true where there is no build.ninja; each configuration writes it anew.
  if [[ $UNBRAID_ROOT/CMakePresets.json -nt $tree/build.ninja ]]; then
    run_logged "$UNBRAID_BUILD/logs/configure-$preset.log" cmake -S "$UNBRAID_ROOT" --preset "$preset" || return 1
  fi
  build_ninja "$tree" "$@"
}

# On a terminal ninja shows its own one-line progress; elsewhere only failures are worth reading.
build_ninja() {
  local tree=$1
  shift
  if [[ -t 2 ]]; then
    ninja -C "$tree" "$@" >&2
  else
    run_logged "$UNBRAID_BUILD/logs/build-$(basename "$tree").log" ninja -C "$tree" "$@"
  fi
}

# The parts that a stack is made of, without the tests.
build_stack() {
  say "building the services (the first time takes a few minutes)"
  build_cmake release unbraid-gateway unbraid-splitter unbraid-worker unbraid-assembler unbraid
}

build_models() {
  say "building the model packages"
  run_logged "$UNBRAID_BUILD/logs/models.log" "$UNBRAID_ROOT/models/build.sh"
}
