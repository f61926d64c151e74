#!/usr/bin/env bash
# Runs a whole Unbraid on this machine's loopback: a private RabbitMQ node and the four services.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/process.sh"
. "$UNBRAID_ROOT/scripts/lib/broker.sh"
. "$UNBRAID_ROOT/scripts/lib/services.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"
. "$UNBRAID_ROOT/scripts/lib/build.sh"

STACK=$(realpath -m "${UNBRAID_STACK_DIR:-$UNBRAID_BUILD/stack}")
# Where chunks' audio lies beside the messages; empty: it travels in them.
OBJECTS=${UNBRAID_STACK_OBJECTS-$STACK/objects}
[[ -z $OBJECTS ]] || OBJECTS=$(realpath -m "$OBJECTS")
# How long a part may take until it is ready; a worker loads its models and warms them up in this time.
READY_SECONDS=${UNBRAID_STACK_READY_SECONDS:-180}
# How long a part may take to end; a worker finishes its chunk or gives it back in this time.
STOP_SECONDS=30

usage() {
  cat <<'EOF'
usage: scripts/stack.sh COMMAND

  up [--workers N] [--model NAME]... [--data DIR]
               installs and builds what is missing, starts everything, waits until it is ready, and prints the gateway's address
               (default: one worker per core, model unbraid-4, data in the state folder)
  down         stops everything that up started; data and logs stay
  status       one line per part: name, pid, state, address
  env          prints shell settings for this stack: eval "$(scripts/stack.sh env)"
  pids         prints NAME PID for each part that runs
  stop NAME    stops one part
  restart NAME starts one part again, at the same address
  ctl ARGS...  runs rabbitmqctl against the private broker

The state folder is build/stack, or $UNBRAID_STACK_DIR; stacks in different folders do not disturb each other.
Logs are in its folder log; tracks and results in its folder data, unless --data names another.
$UNBRAID_MODELS is the folder of model packages (build/models); $UNBRAID_BIN that of the programs (build/release/bin).

For tests: $UNBRAID_STACK_AMQP is the HOST:PORT that services take for the broker's, such as a proxy before it;
$UNBRAID_STACK_HEARTBEAT is the longest time between heartbeats that the broker agrees to, in seconds (60);
$UNBRAID_STACK_OBJECTS is the folder that chunks' audio is laid into (objects, in the state folder); when it is set and empty, audio
travels in the messages, as it does where services share no folder;
$UNBRAID_STACK_READY_SECONDS is how long a part may take until it is ready (180), which large models need more of. Flags of
services can be given in the environment, and hold for all of them: UNBRAID_STALL_AFTER=5s, UNBRAID_MODEL_MEMORY_MB=2000.
EOF
}

# One command at a time per state folder.
lock_state() {
  mkdir -p "$STACK/parts" "$STACK/run" "$STACK/log"
  chmod 700 "$STACK"
  exec 9>"$STACK/lock"
  flock -w 120 9 || die "another stack.sh is busy with $STACK"
}

save_settings() {
  local model
  printf 'WORKERS=%q\nDATA=%q\nMODELS=()\n' "$WORKERS" "$DATA" >"$STACK/settings"
  for model in "${MODELS[@]}"; do printf 'MODELS+=(%q)\n' "$model" >>"$STACK/settings"; done
}

load_settings() {
  [[ -r $STACK/settings ]] || die "no stack was ever started in $STACK"
  # shellcheck source=/dev/null
  . "$STACK/settings"
}

parse_up() {
  WORKERS=$(nproc)
  MODELS=()
  DATA=$STACK/data
  while (($# > 0)); do
    case $1 in
      --workers | --model | --data) (($# > 1)) || die "$1 needs a value" ;;
      *) die "unknown argument '$1'; see scripts/stack.sh help" ;;
    esac
    case $1 in
      --workers) WORKERS=$2 ;;
      --model) MODELS+=("$2") ;;
      --data) DATA=$(realpath -m "$2") ;;
    esac
    shift 2
  done
  [[ $WORKERS =~ ^[0-9]{1,3}$ ]] || die "--workers needs a number, not '$WORKERS'"
  ((${#MODELS[@]} > 0)) || MODELS=(unbraid-4)
}

part_names() {
  printf 'rabbitmq\n'
  services_names
}

part_start() {
  if [[ $1 == rabbitmq ]]; then broker_start; else service_start "$1"; fi
}

part_is_ready() {
  if [[ $1 == rabbitmq ]]; then broker_is_ready; else service_is_ready "$1"; fi
}

part_log() {
  if [[ $1 == rabbitmq ]]; then printf '%s\n' "$STACK/log/rabbitmq.out"; else printf '%s\n' "$STACK/log/$1.log"; fi
}

# part_wait NAME CONDITION...: waits until the condition holds for the part; shows its log when that does not happen.
part_wait() {
  local name=$1 deadline=$((SECONDS + READY_SECONDS)) trouble=''
  shift
  until "$@" "$name"; do
    if ! process_pid "$STACK/parts/$name" >/dev/null; then
      trouble="$name has ended instead of becoming ready"
    elif ((SECONDS >= deadline)); then
      trouble="$name is not ready after $READY_SECONDS s"
    fi
    if [[ -n $trouble ]]; then
      tail -n 20 "$(part_log "$name")" >&2 || true
      die "$trouble; its log is $(part_log "$name")"
    fi
    sleep 0.1
  done
}

# Those that others call must be bound before those others start; all the rest comes up side by side.
start_all() {
  local name
  rm -f "$STACK"/run/*.address "$STACK/broker/ports"
  broker_start
  part_wait rabbitmq part_is_ready
  for name in $(services_names); do
    service_start "$name"
    [[ $name == worker-* ]] || part_wait "$name" service_has_bound
  done
  for name in $(services_names); do part_wait "$name" part_is_ready; done
}

# On a fresh clone `up` is the first command as well as any. What is built already is taken as it is: a developer builds
# when it is time to.
ensure_built() {
  local program model lacking=''
  for program in unbraid unbraid-assembler unbraid-gateway unbraid-splitter unbraid-worker; do
    [[ -x $UNBRAID_BIN/$program ]] || lacking=$program
  done
  for model in "${MODELS[@]}"; do
    [[ -e $UNBRAID_MODELS/$model/model.json ]] || lacking=$model
  done
  [[ -n $lacking ]] || return 0
  packages_install build run
  build_stack
  build_models
}

command_up() {
  parse_up "$@"
  ensure_built
  lock_state
  if [[ -n $(command_pids) ]]; then
    die "this stack runs already (scripts/stack.sh status); stop it first with scripts/stack.sh down"
  fi
  save_settings
  # Whatever goes wrong from here, Ctrl-C included, nothing stays behind half-started.
  # A second Ctrl-C must not keep the first one from cleaning up.
  trap 'trap "" INT TERM HUP; stop_all' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  start_all
  trap - EXIT INT TERM HUP
  service_address gateway grpc
}

# A node that has not finished starting may miss the signal, and has nothing to lose.
part_stop_seconds() {
  if [[ $1 == rabbitmq ]] && ! broker_is_ready; then printf '1\n'; else printf '%d\n' "$STOP_SECONDS"; fi
}

# In the opposite order of starting. Workers end side by side: each may have a chunk to finish.
stop_all() {
  local record pid
  for record in "$STACK"/parts/worker-*; do
    if pid=$(process_pid "$record"); then kill -TERM "$pid" 2>/dev/null || true; fi
  done
  for record in "$STACK"/parts/worker-* "$STACK"/parts/{gateway,splitter,assembler,rabbitmq,epmd}; do
    [[ -e $record ]] && process_stop "$record" "$(part_stop_seconds "$(basename "$record")")"
  done
  rm -f "$STACK"/run/*.address
}

command_down() {
  [[ -d $STACK ]] || return 0
  lock_state
  stop_all
}

command_pids() {
  local record pid
  for record in "$STACK"/parts/*; do
    if pid=$(process_pid "$record"); then printf '%s %s\n' "$(basename "$record")" "$pid"; fi
  done
}

command_status() {
  load_settings
  local name pid state address
  for name in $(part_names); do
    state=stopped address=-
    if pid=$(process_pid "$STACK/parts/$name"); then
      state=unready
      if part_is_ready "$name"; then state=ready; fi
      if [[ $name == rabbitmq ]]; then
        address=127.0.0.1:$(broker_port)
      else
        address=$(service_address "$name" grpc || service_address "$name" http || printf -- '-')
      fi
    else
      pid=-
    fi
    printf '%-10s %-8s %-8s %s\n' "$name" "$pid" "$state" "$address"
  done
}

command_env() {
  local gateway
  gateway=$(service_address gateway grpc) || die "this stack does not run; start it with scripts/stack.sh up"
  printf 'export UNBRAID_GATEWAY=%q\n' "$gateway"
  printf 'export UNBRAID_STACK_DIR=%q\n' "$STACK"
  # shellcheck disable=SC2016  # the reader's PATH, not ours
  printf 'export PATH=%q:%q:"$PATH"\n' "$UNBRAID_BIN" "$UNBRAID_TOOLS/bin"
}

# Not grep -q, which would end before part_names has said everything, and fail the pipe.
require_part() {
  part_names | grep -xF -- "$1" >/dev/null || die "there is no part named '$1' in this stack"
}

command_stop() {
  (($# == 1)) || die "stop needs the name of one part"
  load_settings
  require_part "$1"
  lock_state
  process_stop "$STACK/parts/$1" "$STOP_SECONDS"
}

command_restart() {
  (($# == 1)) || die "restart needs the name of one part"
  load_settings
  require_part "$1"
  lock_state
  process_stop "$STACK/parts/$1" "$STOP_SECONDS"
  part_start "$1"
  part_wait "$1" part_is_ready
}

command_ctl() {
  [[ -s $STACK/broker/ports ]] || die "there is no broker in $STACK yet; start it with scripts/stack.sh up"
  broker_ctl "$@"
}

main() {
  local command=${1:-help}
  shift || true
  case $command in
    up | down | status | env | pids | stop | restart | ctl) "command_$command" "$@" ;;
    help | -h | --help) usage ;;
    *)
      usage >&2
      die "unknown command '$command'"
      ;;
  esac
}

main "$@"
