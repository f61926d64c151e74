# shellcheck shell=bash
# Installs the Debian packages that Unbraid needs, and only those that are missing. Sourced, never run.
#
# An entry is a package, or `package?command`: not needed where that command is there already, however it came.
# shellcheck disable=SC2034  # the lists are read by name

# Compiling the services, and making the model packages.
PACKAGES_BUILD=(
  catch2 ccache cmake g++ libabsl-dev libavcodec-dev libavformat-dev libavutil-dev libcli11-dev libcpp-httplib-dev
  libgrpc++-dev libmp3lame-dev libmpg123-dev libopenblas0-pthread libopusenc-dev libprotobuf-dev librabbitmq-dev
  libseccomp-dev libsndfile1-dev libsoxr-dev libspdlog-dev libsqlite3-dev libssl-dev libtorch-dev libvorbis-dev lld
  ninja-build nlohmann-json3-dev pkg-config prometheus-cpp-dev protobuf-compiler protobuf-compiler-grpc python3
  python3-numpy python3-pip python3-torch
)

# Running the stack. python3-soundfile and the songs are for the song that separate.sh takes when none is named.
PACKAGES_RUN=(
  ca-certificates fretsonfire-songs-sectoid python3 python3-numpy python3-soundfile rabbitmq-server
)

# Checking and testing. Go is for grpcurl, npm for buf: Debian 12 has neither tool. FluidSynth, SciPy and the small SoundFont are for
# the tests of models/training.
PACKAGES_TEST=(
  clang-14 clang-format-14 clang-tidy-14 'ffmpeg?ffmpeg' 'git?git' 'golang-go?go' 'jq?jq' libclang-rt-14-dev libfluidsynth3 'npm?npm'
  python3-grpcio python3-protobuf python3-pytest python3-scipy python3-soundfile 'shellcheck?shellcheck' 'sox?sox' 'spin?spin'
  timgm6mb-soundfont
)

# Exporting published models (models/export.sh).
PACKAGES_EXPORT=(libopenblas0-pthread python3 python3-numpy python3-pip python3-torch python3-torchaudio)

# Fetching an upstream libtorch (scripts/libtorch.sh).
PACKAGES_LIBTORCH=('maven?mvn' python3 python3-pip 'unzip?unzip')

# What keeps an installation from starting services, and the line that tells ours from the machine's own.
PACKAGES_POLICY=/usr/sbin/policy-rc.d
PACKAGES_POLICY_MARK='# Written by Unbraid for the time of an installation.'

# Drawing the plot of bench/scaling.py, which installs it.
PACKAGES_BENCH=(python3-matplotlib)

# Rendering songs to train with; models/training/install.sh installs them.
PACKAGES_TRAINING=(
  fluid-soundfont-gm hydrogen-drumkits libfluidsynth3 musescore-general-soundfont python3-scipy python3-soundfile python3-venv
  sonic-pi-samples
)

# packages_missing GROUP...: prints what is missing of the groups build, run, test, export, libtorch, bench and training, one a line.
packages_missing() {
  local group entry name
  declare -A there=()
  # One question for all packages: a question each would take seconds at every start of a script.
  while read -r name; do there[$name]=1; done < <(
    dpkg-query -W -f='${Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }'
  )
  for group in "$@"; do
    local -n list=PACKAGES_${group^^}
    for entry in "${list[@]}"; do
      name=${entry%%\?*}
      [[ -n ${there[$name]:-} ]] && continue
      if [[ $entry == *\?* ]] && have "${entry#*\?}"; then continue; fi
      printf '%s\n' "$name"
    done
  done | sort -u
}

# packages_install GROUP...: after it, everything in the groups is there, or the script has ended.
packages_install() {
  if ! have apt-get || ! have dpkg-query; then
    die "this script installs Debian packages, and this system has no apt-get; Unbraid is built for Debian 12"
  fi
  local missing
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]} > 0)) || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  packages_become_root "${missing[@]}"
  packages_run_apt "${missing[@]}"
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}"
}

# Sets AS_ROOT, the words in front of a command that only root may run.
packages_become_root() {
  AS_ROOT=()
  [[ $(id -u) == 0 ]] && return 0
  have sudo || die "only root can install packages; run this as root: apt-get install --no-install-recommends $*"
  AS_ROOT=(sudo)
}

packages_run_apt() {
  local log=$UNBRAID_BUILD/logs/apt.log status=0 new_broker=0
  local apt=("${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -o DPkg::Lock::Timeout=600 -y)
  mkdir -p "$(dirname "$log")"
  [[ " $* " == *' rabbitmq-server '* ]] && new_broker=1
  # Package lists may be old or absent. Where one source of several is out of order, the rest can still do.
  "${apt[@]}" update >"$log" 2>&1 || say "warning: apt-get update did not succeed; see $log"
  # In a shell of its own, so that what it has put up goes in any case, and the script's own traps stay as they are.
  (
    PACKAGES_POLICY_MADE=0
    trap packages_allow_daemons EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    packages_no_daemons || die "$PACKAGES_POLICY cannot be written"
    "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1
  ) || status=$?
  if ((status > 128)); then
    say "error: the installation was interrupted; all of its output is in $log"
    exit "$status"
  elif ((status != 0)); then
    tail -n 40 "$log" >&2
    die "the installation failed; all of its output is in $log"
  fi
  if ((new_broker)) && have systemctl; then
    # Unbraid starts a private broker and has no use for one that comes up with the machine.
    "${AS_ROOT[@]}" systemctl disable rabbitmq-server.service epmd.socket epmd.service >>"$log" 2>&1 || true
  fi
}

# Keeps the installation from starting the machine's own message broker. A broker that runs already is left alone:
# nothing of it is installed then. A policy that the machine already has stays in force; one of ours is what a run has left that was
# killed.
packages_no_daemons() {
  if [[ -e $PACKAGES_POLICY ]] && ! "${AS_ROOT[@]}" grep -qxF -- "$PACKAGES_POLICY_MARK" "$PACKAGES_POLICY"; then return 0; fi
  PACKAGES_POLICY_MADE=1
  printf '#!/bin/sh\n%s\nexit 101\n' "$PACKAGES_POLICY_MARK" | "${AS_ROOT[@]}" tee "$PACKAGES_POLICY" >/dev/null &&
    "${AS_ROOT[@]}" chmod 755 "$PACKAGES_POLICY"
}

# Takes away what packages_no_daemons has put up. Another signal does not keep it from that.
packages_allow_daemons() {
  trap '' HUP INT TERM
  ((PACKAGES_POLICY_MADE)) || return 0
  "${AS_ROOT[@]}" rm -f "$PACKAGES_POLICY" || say "warning: $PACKAGES_POLICY could not be removed; it keeps services from starting"
}
