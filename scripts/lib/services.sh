# shellcheck shell=bash
# The four services as parts of a stack: how each is started, where it listens, when it is ready. Sourced, never run.
#
# STACK is the state folder. Its file `settings` holds WORKERS, MODELS and DATA of the last `up`, for `restart`.

# services_names: every part but the broker, in the order of starting: nobody starts before those it calls.
services_names() {
  printf '%s\n' assembler splitter gateway
  local i
  for ((i = 1; i <= WORKERS; ++i)); do printf 'worker-%d\n' "$i"; done
}

# service_address NAME KIND: prints HOST:PORT; KIND is grpc or http. Fails while the part has bound nothing.
service_address() {
  local line
  { line=$(grep -m 1 "^$2=" "$STACK/run/$1.address"); } 2>/dev/null || return 1
  printf '%s\n' "${line#*=}"
}

# service_listen NAME KIND: what to bind. A part that is started again keeps its address, since others know it.
service_listen() {
  service_address "$1" "$2" || service_address "last-$1" "$2" || printf '127.0.0.1:0\n'
}

# Sets COMMAND, what starts the part NAME.
service_command() {
  local name=$1 model
  local common=(--http "$(service_listen "$name" http)" --address-file "$STACK/run/$name.address")
  local broker=(--amqp "${UNBRAID_STACK_AMQP:-127.0.0.1:$(broker_port)}" --amqp-user "$(<"$STACK/broker/user")"
    --amqp-password-file "$STACK/broker/password")
  local objects=()
  [[ -z $OBJECTS ]] || objects=(--object-folder "$OBJECTS")
  case $name in
    assembler)
      COMMAND=(unbraid-assembler --listen "$(service_listen "$name" grpc)" --data "$DATA/assembler"
        --name assembler-1 "${broker[@]}" "${objects[@]}")
      ;;
    splitter)
      COMMAND=(unbraid-splitter --listen "$(service_listen "$name" grpc)" --data "$DATA/splitter"
        --models "$UNBRAID_MODELS" --assembler "$(service_address assembler grpc)" --name splitter-1 "${broker[@]}"
        "${objects[@]}")
      ;;
    gateway)
      COMMAND=(unbraid-gateway --listen "$(service_listen "$name" grpc)" --models "$UNBRAID_MODELS"
        --splitter "$(service_address splitter grpc)" --assembler "$(service_address assembler grpc)")
      ;;
    worker-*)
      # One thread each: on few cores, single-threaded workers beside each other beat one with many threads.
      COMMAND=(unbraid-worker --models "$UNBRAID_MODELS" --threads 1 --name "$name" "${broker[@]}" "${objects[@]}")
      for model in "${MODELS[@]}"; do COMMAND+=(--model "$model"); done
      ;;
    *) die "there is no part named '$name' in this stack" ;;
  esac
  COMMAND=("$UNBRAID_BIN/${COMMAND[0]}" "${COMMAND[@]:1}" "${common[@]}")
}

service_start() {
  local name=$1
  service_command "$name"
  [[ -x ${COMMAND[0]} ]] || die "${COMMAND[0]} is not built; scripts/test.sh or scripts/separate.sh builds it"
  # An old address must not be taken for the new one, but is needed should this start fail and be tried again.
  if [[ -e $STACK/run/$name.address ]]; then
    mv -f "$STACK/run/$name.address" "$STACK/run/last-$name.address"
  fi
  process_spawn "$STACK/parts/$name" "$STACK/log/$name.log" "${COMMAND[@]}"
}

service_has_bound() { service_address "$1" http >/dev/null; }

# service_is_ready NAME: asks the probe.
service_is_ready() {
  local address
  address=$(service_address "$1" http) || return 1
  http_is_ok "$address" /readyz
}

# http_is_ok HOST:PORT PATH: whether a GET is answered with 200 within 2 s. Plain bash, so that no client is needed.
http_is_ok() {
  local host=${1%:*} port=${1##*:} version code rest
  {
    exec 3<>"/dev/tcp/$host/$port" || return 1
  } 2>/dev/null
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$host" >&3
  read -r -t 2 version code rest <&3 || code=''
  exec 3<&-
  : "$version" "$rest"
  [[ $code == 200 ]]
}
