"""What the services need and what they leave behind: flat memory, exit status 0, a stack that ends without a trace."""

import ctypes
import os
import signal
import socket
import subprocess

import numpy as np
import pytest
import soundfile
from stack import SCRIPT, Stack

PEAK_LIMIT_MB = 200
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="module", autouse=True)
def subreaper():
    """Makes this process the parent of what stack.sh leaves running, so that exit statuses can be read."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        kilobytes = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kilobytes) / 1024


def long_track(path, minutes):
    """Written in blocks; every block differs."""
    rate = 44100
    with soundfile.SoundFile(path, "w", rate, 2, subtype="PCM_16") as out:
        for second in range(0, minutes * 60, 10):
            block = np.random.default_rng(second).uniform(-0.4, 0.4, (rate * 10, 2))
            out.write(block)


def test_memory_does_not_depend_on_the_length_of_the_song(tmp_path):
    """Case 19. Ten minutes are 200 MB of samples as they travel, 800 MB of stems; bench/memory.py does an hour."""
    song = tmp_path / "long.wav"
    long_track(song, 10)
    with Stack(workers=2, models=("passthrough",)) as stack:
        stack.separate(song, tmp_path / "out", "--model", "passthrough")
        pids = stack.pids()
        peaks = {name: peak_mb(pids[name]) for name in ("gateway", "splitter", "assembler")}
    assert all(peak < PEAK_LIMIT_MB for peak in peaks.values()), peaks


def test_every_service_ends_with_status_0_on_sigterm():
    with Stack(workers=1, models=("passthrough",)) as stack:
        pids = stack.pids()
        for name in ("worker-1", "gateway", "splitter", "assembler"):
            os.kill(pids[name], signal.SIGTERM)
            _, status = os.waitpid(pids[name], 0)
            assert os.waitstatus_to_exitcode(status) == 0, name


def test_down_leaves_nothing_running_and_may_be_repeated():
    with Stack(workers=1, models=("passthrough",)) as stack:
        pids = stack.pids()
        assert set(pids) == {"epmd", "rabbitmq", "assembler", "splitter", "gateway", "worker-1"}
        host, port = stack.environment["UNBRAID_GATEWAY"].split(":")
        stack.script("down")
        for name, pid in pids.items():
            # This process is their parent now: a status to collect is the proof that they have ended.
            assert os.waitpid(pid, os.WNOHANG)[0] == pid, name
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))
        assert stack.script("pids") == ""
        stack.script("down")


def test_two_stacks_do_not_disturb_each_other(tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, np.zeros((1000, 2), np.float32), 44100)
    with Stack(workers=1, models=("passthrough",)) as one, Stack(workers=1, models=("passthrough",)) as two:
        two.script("down")
        one.separate(song, tmp_path / "out", "--model", "passthrough")


def test_a_stack_that_cannot_start_says_why_and_stops_what_it_started():
    stack = Stack(workers=1, models=("nonesuch",))
    try:
        done = subprocess.run([str(SCRIPT), "up", *stack.arguments], env=stack.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == 1
        assert "worker-1 has ended instead of becoming ready" in done.stderr
        assert stack.script("pids") == ""
    finally:
        stack.remove()
