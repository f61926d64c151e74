#!/usr/bin/env bash
# How long it takes from the end of an upload to the first sample of a stem, with one worker, against the time that the
# model takes for one chunk in the same run, as a Markdown table. It fails when the first takes longer than two of the second.
#
#   bench/first_audio.sh [SONG...]        by default a real song of 2:24, at 44.1 kHz and at 48 kHz
#
# Needs what any ring of scripts/test.sh builds: grpcurl as well as the services.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

MOST_CHUNK_TIMES=2

# measure SONG: one row of the table; fails when it took too long.
measure() {
  /usr/bin/python3 - "$1" "$MOST_CHUNK_TIMES" <<'PYTHON'
import json
import os
import statistics
import subprocess
import sys
import threading
import time

song, most = sys.argv[1], float(sys.argv[2])
player = subprocess.Popen(["unbraid", "--json", "separate", song, "--play-stem", "drums", "--stdout", "--raw", "--no-files"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
uploaded = {}


def read_events():
    for line in player.stderr:
        event = json.loads(line)
        if event["event"] == "uploaded":
            uploaded.update(event["track"], time=time.monotonic())


events = threading.Thread(target=read_events)
events.start()
heard = player.stdout.read(1)
first = time.monotonic()
while heard and player.stdout.read(1 << 20):
    pass
everything = time.monotonic()
events.join()
if player.wait() != 0 or not heard:
    sys.exit("the separation did not work")

listed = subprocess.run(["unbraid", "--json", "list"], check=True, capture_output=True, text=True)
name = json.loads(listed.stdout)["separations"]["separations"][0]["name"]
chunks = subprocess.run(["grpcurl", "-plaintext", "-d", json.dumps({"parent": name, "page_size": 1000}),
                         os.environ["UNBRAID_GATEWAY"], "unbraid.v1.SeparationService/ListChunks"],
                        check=True, capture_output=True, text=True)
chunk = statistics.median(float(each["compute_time"].rstrip("s")) for each in json.loads(chunks.stdout)["chunks"])
seconds = int(uploaded["frames"]) / uploaded["sample_rate_hz"]
waited = first - uploaded["time"]
print(f"| {seconds:.0f} s, {uploaded['sample_rate_hz']} Hz | {waited:.2f} | {chunk:.2f} | {waited / chunk:.2f} "
      f"| {everything - uploaded['time']:.1f} |")
sys.exit(waited > most * chunk)
PYTHON
}

# shellcheck disable=SC2317  # called by the trap
finish() {
  "$UNBRAID_ROOT/scripts/stack.sh" down || true
  rm -rf -- "$FOLDER"
}

main() {
  local song slow=0
  [[ -x $UNBRAID_TOOLS/bin/grpcurl ]] || have grpcurl || die "grpcurl is missing; scripts/test.sh builds it, whichever ring it runs"
  mkdir -p "$UNBRAID_BUILD"
  FOLDER=$(mktemp -d "$UNBRAID_BUILD/first_audio.XXXXXX")
  export UNBRAID_STACK_DIR=$FOLDER/stack
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if (($# == 0)); then
    song=$("$UNBRAID_ROOT/scripts/demo-song.sh")
    ffmpeg -v error -i "$song" -ar 48000 "$FOLDER/48000.wav"
    set -- "$song" "$FOLDER/48000.wav"
  fi
  "$UNBRAID_ROOT/scripts/stack.sh" up --workers 1 >/dev/null
  eval "$("$UNBRAID_ROOT/scripts/stack.sh" env)"
  printf '| song | upload to first sample, s | one chunk, s | chunk times | upload to last sample, s |\n|---|---:|---:|---:|---:|\n'
  for song in "$@"; do measure "$song" || slow=1; done
  return "$slow"
}

main "$@"
