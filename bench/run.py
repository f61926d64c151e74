#!/usr/bin/python3
"""All rows of the table of benchmarks, or some of them, as one Markdown table.

    bench/run.py [--rows amqp,transfer,...] [--repeats N]        --list says which there are

Each group of rows is a script beside this one, which takes `--repeats N` and `--json` and then prints one line that `rows.write` makes; it can
be run alone, for its other options. A group that fails is named, and the others go on. Needs a build, and minutes for a group.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import rows

HERE = Path(__file__).resolve().parent
GROUPS = {
    "amqp": "the AMQP wrapper against the plain use of its library",
    "transfer": "upload and download against a bare gRPC stream",
    "jobs": "1, 10 and 100 separations at once, and the first joined second",
    "libraries": "the worker against the Python library of each model",
    "libtorch": "an upstream libtorch 2 against Debian's 1.13",
}


def measure(group: str, repeats: int | None) -> list[rows.Row]:
    """Nothing where the group fails; it has said why itself."""
    command = [str(HERE / f"{group}.py"), "--json", *(["--repeats", str(repeats)] if repeats else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    last = done.stdout.splitlines()[-1:]
    return rows.read(last[0]) if done.returncode == 0 and last else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(GROUPS), help="groups, separated by commas; all")
    parser.add_argument("--repeats", type=int, help="rounds of each row; each group has its own number otherwise")
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
    print(rows.table(row for group in wanted for row in found[group]))
    failed = [group for group in wanted if not found[group]]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


sys.exit(main())
