#!/usr/bin/python3
"""Upload and download through the gateway against a bare gRPC stream of the same messages, whose server does nothing. A Markdown table.

    bench/transfer.py [--seconds N]        240 s of noise: 42 MB up as 16 bit, 85 MB down as a stem in float32

Parts are of 256 KiB in both, and the client is the same. Behind the gateway the splitter writes the parts to disk, hashes them, and when
the last one is there decodes the file to check it: the upload has a row until the last part is taken, and one until the track is there.
Needs a build.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rows import Row, arguments, in_turn, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "stack"))
from stack import BIN, Stack, long_noise  # noqa: E402: the path must be set first

PROGRAM = BIN / "unbraid-bench-transfer"
AGAINST = "bare gRPC stream"


@contextmanager
def bare_server(download_bytes: int) -> Iterator[str]:
    """Its address."""
    with subprocess.Popen([PROGRAM, "serve", str(download_bytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield json.loads(server.stdout.readline())["address"]
        server.stdin.close()


def transfer(what: str, server: str, name: object) -> dict[str, float]:
    done = subprocess.run([PROGRAM, what, server, str(name)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def upload_rows(rounds: int, gateway: str, bare: str, folder: Path, seconds: int) -> list[Row]:
    numbers = count(1)

    def upload(server: str) -> dict[str, float]:
        # Another song each time: what the splitter knows already is not stored again.
        song = long_noise(folder / "song.wav", seconds, next(numbers))
        made = transfer("upload", server, song)
        assert made["bytes"] == song.stat().st_size
        return made

    ours, base = in_turn(rounds, lambda: upload(gateway), lambda: upload(bare))

    def row(what: str, key: str) -> Row:
        return Row(what, AGAINST, "MB/s", [each["bytes"] / 1e6 / each[key] for each in ours],
                   [each["bytes"] / 1e6 / each["seconds"] for each in base])

    return [row("upload, until the last part is taken", "sent_seconds"), row("upload, until the track is there", "seconds")]


def download_row(rounds: int, gateway: str, bare: str, stem: dict) -> Row:
    def speed(server: str) -> float:
        made = transfer("download", server, stem["name"])
        assert made["bytes"] == int(stem["size_bytes"])
        return made["bytes"] / 1e6 / made["seconds"]

    return Row("download of a stem", AGAINST, "MB/s", *in_turn(rounds, lambda: speed(gateway), lambda: speed(bare)))


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--seconds", type=int, default=240)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unbraid-transfer-") as name, Stack(workers=1, models=("passthrough",)) as stack:
        folder = Path(name)
        song = long_noise(folder / "song.wav", options.seconds, 0)
        done = stack.separate(song, folder / "stems", "--model", "passthrough", "--sample-format", "f32")
        stem = next(each for each in done["outputs"] if each["name"].endswith("/vocals"))
        gateway = stack.environment["UNBRAID_GATEWAY"]
        with bare_server(int(stem["size_bytes"])) as bare:
            rows = upload_rows(options.repeats, gateway, bare, folder, options.seconds)
            rows.append(download_row(options.repeats, gateway, bare, stem))
    write(rows, options.json)


main()
