# shellcheck shell=bash
# Long-running parts as recorded processes: a folder with one file per part. Sourced, never run.
#
# A record is the line `PID START`, START being the time in clock ticks at which the kernel started that process. A
# number alone may belong to somebody else by the time it is used; the pair never does, so nobody else is signalled.

# process_start_time PID: prints it, or fails when there is no such process or only its zombie.
process_start_time() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # The name, in parentheses, may hold anything; what follows the last parenthesis is plain.
  read -r -a stat <<<"${stat##*) }"
  [[ ${stat[0]} == Z || ${stat[0]} == X ]] && return 1
  printf '%s\n' "${stat[19]}"
}

# process_spawn RECORD LOG COMMAND...: starts a process that outlives the script and its terminal.
process_spawn() {
  local record=$1 log=$2 pid
  shift 2
  # 9 is the lock of the state folder: a part that inherited it would hold it for ever.
  setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
  pid=$!
  disown "$pid"
  printf '%s %s\n' "$pid" "$(process_start_time "$pid" || echo gone)" >"$record"
}

# process_pid RECORD: prints the pid while it is still the recorded process; fails otherwise.
process_pid() {
  local pid start
  { read -r pid start <"$1"; } 2>/dev/null || return 1
  [[ $(process_start_time "$pid") == "$start" ]] || return 1
  printf '%s\n' "$pid"
}

# process_wait_gone RECORD SECONDS: fails when it is still there after that time.
process_wait_gone() {
  local deadline=$((SECONDS + $2))
  while process_pid "$1" >/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

# process_stop RECORD SECONDS: asks it to end, waits that long, then ends it, and forgets it. Says when it had to.
process_stop() {
  local record=$1 grace=$2 pid
  if pid=$(process_pid "$record"); then
    kill -TERM "$pid" 2>/dev/null || true
    if ! process_wait_gone "$record" "$grace"; then
      say "warning: $(basename "$record") (pid $pid) did not end within $grace s of SIGTERM; killing it"
      kill -KILL "$pid" 2>/dev/null || true
      process_wait_gone "$record" 10 || die "pid $pid cannot be ended"
    fi
  fi
  rm -f "$record"
}
