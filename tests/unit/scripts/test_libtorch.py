"""scripts/libtorch.sh with a Maven in its way that brings something else, or nothing. No network is used."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "libtorch.sh"
TRIES = 3


def run(folder: Path, maven: str) -> subprocess.CompletedProcess:
    """The script with a cache in `folder` and this shell code in place of mvn; the code finds the folder that mvn is given in $out."""
    tools = folder / "tools"
    tools.mkdir()
    mvn = tools / "mvn"
    mvn.write_text(f'#!/bin/bash\nout=${{@: -1}}; out=${{out#-DoutputDirectory=}}; echo called >>"{folder}/calls"\n{maven}\n')
    mvn.chmod(0o755)
    environment = dict(os.environ, UNBRAID_LIBTORCH_CACHE=str(folder / "cache"), PATH=f"{tools}:{os.environ['PATH']}")
    return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, timeout=60)


def calls(folder: Path) -> int:
    return len((folder / "calls").read_text().splitlines())


def jars(folder: Path) -> list[str]:
    return [path.name for path in (folder / "cache").rglob("*.jar")]


def test_libraries_of_another_size_are_refused(tmp_path):
    done = run(tmp_path, 'mkdir -p "$out" && echo short >"$out/pytorch-native-cpu-2.7.1-linux-x86_64.jar"')
    assert done.returncode == 1
    assert "pytorch-native-cpu-2.7.1-linux-x86_64.jar is not what was pinned: expected 111597418 bytes" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "cache/2.7.1").exists()


def test_libraries_of_the_right_size_but_other_bytes_are_refused(tmp_path):
    done = run(tmp_path, 'mkdir -p "$out" && truncate -s 111597418 "$out/pytorch-native-cpu-2.7.1-linux-x86_64.jar"')
    assert done.returncode == 1
    assert "is not what was pinned" in done.stderr
    assert not (tmp_path / "cache/2.7.1").exists()


def test_what_was_tampered_with_in_the_cache_is_fetched_again(tmp_path):
    downloads = tmp_path / "cache" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "pytorch-native-cpu-2.7.1-linux-x86_64.jar").write_bytes(b"another")
    done = run(tmp_path, "exit 1")
    assert done.returncode == 1
    assert calls(tmp_path) == TRIES


def test_a_fetch_that_fails_is_tried_again_and_then_given_up(tmp_path):
    done = run(tmp_path, 'echo "no route" >&2; exit 1')
    assert done.returncode == 1
    assert calls(tmp_path) == TRIES
    assert "no route" in done.stderr
    assert f"could not fetch pytorch-native-cpu-2.7.1-linux-x86_64.jar in {TRIES} tries" in done.stderr
    assert jars(tmp_path) == []
