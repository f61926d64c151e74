#!/usr/bin/python3
"""All rows of the table of benchmarks, or some of them, as one Markdown table.

    bench/run.py [--rows amqp,transfer,...] [--repeats N]        --list says which there are

Each group of rows is a script beside this one, which takes `--repeats N` and `--json` and then prints one line that `rows.write` makes; it can
be run alone, for its other options; some print more then. A group that fails is named, and the others go on. Needs a build, ffmpeg and sox,
and minutes for a group; those called long take most of the time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import rows

HERE = Path(__file__).resolve().parent
GROUPS = {
    "pipeline": "a song of three minutes through all services, with one and two workers, against the same model in one process",
    "scaling": "tracks of 1 to 30 minutes, and 1, 2 and 4 workers (long; 20 GB of disk)",
    "codecs": "what splitter and assembler do to audio, each alone on a core, against ffmpeg and sox",
    "memory": "memory of each process with a track of an hour against one of six minutes (long; 15 GB of disk)",
    "amqp": "the AMQP wrapper against the plain use of its library",
    "transfer": "upload and download against a bare gRPC stream",
    "jobs": "1, 10 and 100 separations at once, and the first joined second",
    "libraries": "the worker against the Python library of each model (long)",
    "settings": "each thing that the worker switches on, with it against without it (long)",
    "libtorch": "an upstream libtorch 2 against Debian's 1.13 (long)",
}


def measure(group: str, repeats: int | None) -> tuple[list[rows.Row], bool]:
    """Its rows, as far as it had any, and whether it worked; if not, it has said why itself."""
    command = [str(HERE / f"{group}.py"), "--json", *(["--repeats", str(repeats)] if repeats else [])]
    # Unlike subprocess.run, this does not kill it after Ctrl-C, before it has taken down what it started.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.communicate()[0].splitlines()
    try:
        found = rows.read(said[-1])
    except (IndexError, ValueError):
        return [], False
    return found, process.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(GROUPS), help="groups, separated by commas; all")
    parser.add_argument("--repeats", type=rows.positive, help="rounds of each row; each group has its own number otherwise")
    parser.add_argument("--list", action="store_true", help="the groups, and nothing else")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{group:10}{about}" for group, about in GROUPS.items()))
        return 0
    wanted = options.rows.split(",")
    unknown = [group for group in wanted if group not in GROUPS]
    if unknown:
        parser.error(f"there are no rows {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    found = {group: measure(group, options.repeats) for group in wanted}
    print(rows.table(row for group in wanted for row in found[group][0]))
    failed = [group for group in wanted if not found[group][1]]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
