#!/usr/bin/env bash
# How long a song stands still when a part ends in the midst of it and is started again at once: from the signal to the next
# finished chunk, and the longest silence after it (results that wait in the broker come while a worker is away), as a Markdown
# table. It fails when a song is lost or a byte of it is wrong.
#
#   bench/recovery.sh [TIMES]        7 times each by default
#
# The model takes no time (passthrough), so this is what the services and the broker take. Needs a build (scripts/test.sh).
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

main() {
  [[ ${1:-7} =~ ^[1-9][0-9]{0,2}$ ]] || die "usage: bench/recovery.sh [TIMES]"
  PYTHONPATH=$UNBRAID_ROOT/tests/integration/stack /usr/bin/python3 - "${1:-7}" <<'PYTHON'
import random
import statistics
import sys

from chaos_faults import work_moment
from chaos_jobs import Song
from chaos_more_faults import FAULTS
from chaos_run import play
from chaos_scene import Scene

times = int(sys.argv[1])
rows = [
    (2, "none", "nothing"),
    (2, "kill worker-1", "one of two workers killed"),
    (2, "kill gateway", "gateway killed"),
    (2, "kill splitter", "splitter killed"),
    (2, "kill assembler", "assembler killed"),
    (2, "term assembler", "assembler restarted"),
    (2, "kill rabbitmq", "broker killed"),
    (2, "term rabbitmq", "broker restarted"),
    (1, "kill worker-1", "the only worker killed"),
    (1, "term worker-1", "the only worker restarted"),
]


def measure(scene, name, seed):
    """Seconds from the fault to the next finished chunk, and the longest silence from there on."""
    dice = random.Random(seed)
    song = Song(seed=seed, seconds=60.0, rate=44100, channels=2, residual=False, floats=False)
    fault = FAULTS[name].make(name, dice, [song], False)
    while not 0.1 < fault.moment.count / (2 * song.task_bytes() + 2 * song.result_bytes()) < 0.6 or fault.moment.proxy != "amqp":
        fault.moment = work_moment(dice, [song])
    outcome = play(scene, seed, fault, [song])
    assert outcome.fine() and outcome.struck and outcome.next_chunk, outcome
    return outcome.next_chunk, outcome.pause


def row(text, found):
    columns = [f"{pick(values):.2f}" for values in zip(*found) for pick in (statistics.median, min, max)]
    return f"| {text} | {len(found)} | {' | '.join(columns)} |"


print("| what happens | times | to the next chunk, s, median | least | most | longest silence, s, median | least | most |\n"
      "|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
for workers in (2, 1):
    with Scene(workers) as scene:
        play(scene, 0, *(FAULTS["none"].make("none", random.Random(0), songs := [Song.draw(random.Random(0))], False), songs))
        for number, (_, name, text) in enumerate(rows):
            if rows[number][0] != workers:
                continue
            found = [measure(scene, name, 1000 * (number + 1) + each) for each in range(times)]
            print(row(text, found), flush=True)
PYTHON
}

main "$@"
