# shellcheck shell=bash
# A private RabbitMQ node: own name, ports, port mapper, folders, user and password; loopback only; it has nothing in
# common with the machine's own broker, and runs as whoever starts the stack. Sourced, never run.
#
# STACK is the state folder; the node's things are in STACK/broker. Its user, password and queues survive `down`.

# Debian's /usr/sbin wrappers insist on root and on /var/lib/rabbitmq; what they wrap does not.
BROKER_SERVER=/usr/lib/rabbitmq/bin/rabbitmq-server

# broker_pick_ports: prints three free ports. They lie below the range from which the kernel gives ports to outgoing
# connections, so that none is taken between here and the start.
broker_pick_ports() {
  /usr/bin/python3 - <<'EOF'
import random
import socket

held = []
while len(held) < 3:
    candidate = socket.socket()
    try:
        candidate.bind(("127.0.0.1", random.randrange(20000, 32000)))
    except OSError:
        continue
    held.append(candidate)
print(*(s.getsockname()[1] for s in held))
EOF
}

broker_random() {
  head -c 24 /dev/urandom | base64 | tr -dc 'A-Za-z0-9'
}

# Everything secret is made readable by its owner only before it has any content.
broker_prepare() {
  local dir=$STACK/broker
  mkdir -p "$dir/mnesia" "$dir/log" "$dir/home"
  chmod 700 "$dir"
  if [[ ! -s $dir/password ]]; then
    (
      umask 077
      printf 'unbraid-%s' "$(broker_random | head -c 8)" >"$dir/user"
      broker_random >"$dir/password"
    )
  fi
  printf '[].\n' >"$dir/enabled_plugins"
  # A node that is started again keeps its ports, so that everybody finds it.
  [[ -s $dir/ports ]] || broker_pick_ports >"$dir/ports"
  broker_write_config
}

broker_write_config() {
  local dir=$STACK/broker
  (
    umask 077
    cat >"$dir/rabbitmq.conf" <<EOF
listeners.tcp.1 = 127.0.0.1:$(broker_port)
default_user = $(<"$dir/user")
default_pass = $(<"$dir/password")
log.file = rabbitmq.log
log.file.level = info
log.file.formatter = json
log.console = false
disk_free_limit.absolute = 500MB
heartbeat = ${UNBRAID_STACK_HEARTBEAT:-60}
EOF
  )
}

broker_port() {
  local ports
  read -r -a ports <"$STACK/broker/ports"
  printf '%s\n' "${ports[0]}"
}

# Sets BROKER_ENV, the words that run a command of RabbitMQ with this node's settings and nobody else's.
broker_environment() {
  local dir=$STACK/broker ports
  read -r -a ports <"$dir/ports"
  # RUNNING_UNDER_SYSTEMD makes the start script replace itself by the node, so that the pid is the node's.
  BROKER_ENV=(
    env HOME="$dir/home" ERL_EPMD_PORT="${ports[2]}" ERL_EPMD_ADDRESS=127.0.0.1 RUNNING_UNDER_SYSTEMD=true
    RABBITMQ_NODENAME=unbraid@localhost RABBITMQ_DIST_PORT="${ports[1]}"
    RABBITMQ_CONF_ENV_FILE="$dir/no-env.conf" RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf"
    RABBITMQ_ADVANCED_CONFIG_FILE="$dir/no-advanced.config" RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins"
    RABBITMQ_MNESIA_BASE="$dir/mnesia" RABBITMQ_LOG_BASE="$dir/log"
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
  )
}

# The port mapper is started here and not by the node, which would leave one behind that nobody has recorded.
broker_start_mapper() {
  local ports
  process_pid "$STACK/parts/epmd" >/dev/null && return 0
  read -r -a ports <"$STACK/broker/ports"
  process_spawn "$STACK/parts/epmd" "$STACK/log/epmd.log" epmd -port "${ports[2]}" -address 127.0.0.1
}

broker_start() {
  broker_prepare
  broker_start_mapper
  broker_environment
  process_spawn "$STACK/parts/rabbitmq" "$STACK/log/rabbitmq.out" "${BROKER_ENV[@]}" "$BROKER_SERVER"
}

# The node listens only when it has started, so a connection is the proof.
broker_is_ready() {
  (exec 3<>"/dev/tcp/127.0.0.1/$(broker_port)") 2>/dev/null
}

broker_ctl() {
  broker_environment
  "${BROKER_ENV[@]}" /usr/lib/rabbitmq/bin/rabbitmqctl "$@"
}
