"""Records that are damaged or lost: the service says so and ends, and leaves the files for whoever has a backup."""

import shutil
import subprocess

import numpy as np
import pytest
from stack import BIN, ROOT, noise, read

PAGE_BYTES = 4096


@pytest.fixture(scope="module")
def song(stack, tmp_path_factory):
    """A song that has been separated, and its samples."""
    folder = tmp_path_factory.mktemp("song")
    samples = noise(folder / "song.wav", 300_001)
    stack.separate(folder / "song.wav", folder / "first", "--model", "passthrough")
    return folder / "song.wav", samples


def overwrite(path):
    content = bytearray(path.read_bytes())
    content[PAGE_BYTES : 3 * PAGE_BYTES] = b"\xff" * (2 * PAGE_BYTES)
    path.write_bytes(content)


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name and ".db" not in path.name)


def start(stack, service, data):
    """As an operator would; it may reach no broker, and must not come so far."""
    password = stack.folder / "state" / "broker" / "password"
    command = [str(BIN / f"unbraid-{service}"), "--data", str(data), "--listen", "127.0.0.1:0",
               "--amqp", "127.0.0.1:1", "--amqp-user", "nobody", "--amqp-password-file", str(password)]
    if service == "splitter":
        command += ["--models", str(models(stack))]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def models(stack):
    return stack.environment.get("UNBRAID_MODELS", ROOT / "build" / "models")


@pytest.mark.parametrize("service, records, lost, sentence", [
    ("assembler", "assembler.sqlite", False, "is damaged ("),
    ("assembler", "assembler.sqlite", True, "is missing or empty, but there are files in"),
    ("splitter", "tracks.db", False, "is damaged ("),
    ("splitter", "tracks.db", True, "is missing or empty, but there are files in"),
    ("splitter", "jobs.db", False, "is damaged ("),
])
def test_a_service_does_not_start_on_damage(stack, song, tmp_path, service, records, lost, sentence):
    stack.script("stop", service)
    data = stack.folder / "state" / "data" / service
    backup = tmp_path / "backup"
    shutil.copytree(data, backup)
    if lost:
        (data / records).unlink()
    else:
        overwrite(data / records)
    before = files_below(data)
    for _ in range(2):  # a supervisor starts it again
        refused = start(stack, service, data)
        assert refused.returncode == 1
        assert f"unbraid-{service}: the database {data / records} {sentence}" in refused.stderr
        assert "from a backup, or move the whole data folder away to begin empty" in refused.stderr
        assert files_below(data) == before

    # With the backup it is as it was.
    for journal in data.glob(f"{records}-*"):
        journal.unlink()
    shutil.copy(backup / records, data / records)
    stack.script("restart", service)
    path, samples = song
    stack.separate(path, tmp_path / "again", "--model", "passthrough")
    assert np.array_equal(read(tmp_path / "again" / "vocals.wav"), samples * np.float32(0.5))
