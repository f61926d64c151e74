"""scripts/separate.sh, the first command that anybody runs."""

import os
import signal
import subprocess
from contextlib import contextmanager

import numpy as np
import soundfile
from stack import ROOT, noise

SCRIPT = ROOT / "scripts" / "separate.sh"


@contextmanager
def running(*arguments):
    """The script as a terminal starts it: in a process group of its own, all of which gets a signal. One that still runs at the end is
    told to end and not killed, so that it stops its stack."""
    script = subprocess.Popen([str(SCRIPT), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              start_new_session=True)
    try:
        yield script
    finally:
        if script.poll() is None:
            os.killpg(script.pid, signal.SIGTERM)
            script.communicate(timeout=120)


def run(*arguments):
    with running(*arguments) as script:
        out, errors = script.communicate(timeout=240)
    return subprocess.CompletedProcess(script.args, script.returncode, out, errors)


def leftovers():
    """State folders of earlier runs, and processes that belong to one."""
    folders = [path.name for path in (ROOT / "build").glob("separate.*")]
    commands = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as command:
                text = command.read()
        except OSError:
            continue
        if f"{ROOT}/build/separate." in text:
            commands.append(text.replace("\0", " "))
    return folders, commands


def test_a_song_becomes_five_files_and_nothing_stays_behind(tmp_path):
    song = tmp_path / "my song.wav"
    samples = noise(song, 300_000)
    done = run(song, tmp_path / "out", "--", "--model", "passthrough")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{name}.wav" for name in ("bass", "drums", "mix", "other", "vocals")]
    mix = soundfile.read(tmp_path / "out/mix.wav", dtype="float32")[0]
    assert np.array_equal(mix, samples)
    assert leftovers() == ([], [])


def test_the_exit_status_is_that_of_the_command(tmp_path):
    song = tmp_path / "text.mp3"
    song.write_text("la la la\n" * 1000)
    done = run(song, tmp_path / "out", "--", "--model", "passthrough")
    assert done.returncode == 3, done.stderr
    assert leftovers() == ([], [])


def test_a_missing_song_and_a_folder_that_cannot_be_written_are_told_at_once(tmp_path):
    """Case 36."""
    done = run(tmp_path / "absent.wav")
    assert done.returncode == 3
    assert done.stderr == f"error: there is no readable file {tmp_path}/absent.wav\n"
    song = tmp_path / "song.wav"
    noise(song, 1000)
    done = run(song, song / "out")
    assert done.returncode == 3
    assert done.stderr.endswith(f"error: the folder {song}/out cannot be written to\n")


def test_ctrl_c_stops_everything(tmp_path):
    song = tmp_path / "song.wav"
    noise(song, 30_000_000)
    with running(song, tmp_path / "out", "--", "--model", "passthrough") as script:
        for line in script.stderr:
            if line.startswith("Separating"):
                break
        os.killpg(script.pid, signal.SIGINT)
        script.communicate(timeout=60)
        assert script.returncode == 130
    assert not any((tmp_path / "out").iterdir())
    assert leftovers() == ([], [])
