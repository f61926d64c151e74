#!/usr/bin/python3
"""The AMQP wrapper against the plain use of its library: publishing with confirms, and consuming, at a quorum queue. A Markdown table.

    bench/amqp.py [--messages N] [--bytes N]        100 messages of 2.1 MB, as a task and each result have

Both publish persistent and mandatory messages with 64 MiB unconfirmed at most, and consume with a prefetch of 8; the plain one is a
blocking loop on one thread, which answers nothing that goes wrong (`bench/amqp/plain.h`). A broker of its own runs beside them. Needs a build.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from rows import Row, arguments, write

PROGRAM = Path(__file__).resolve().parents[1] / "build/release/bin/unbraid-bench-amqp"


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--bytes", type=int, default=2_100_000)
    options = parser.parse_args()
    command = [PROGRAM, "--rounds", str(options.repeats), "--messages", str(options.messages), "--bytes", str(options.bytes)]
    figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    size = f"{options.bytes / 1e6:.1f} MB"
    write([Row(f"AMQP wrapper: {what} messages of {size}", "rabbitmq-c's plain loop", "MB/s", figures[what]["ours"], figures[what]["plain"])
           for what in ("publish", "consume")], options.json)


main()
