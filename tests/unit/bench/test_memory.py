"""bench/memory.py: medians, limit and rows from runs that are made up, and what it reads of the system."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import memory
import pytest


def a_run(splitter: tuple[float, float], rabbitmq: tuple[float, float], disk: float = 0.0) -> memory.Run:
    """Median and peak of each."""
    return memory.Run(10.0, {"splitter": memory.Usage(*splitter, disk), "rabbitmq": memory.Usage(*rabbitmq, 0.0)})


RUNS = {6: [a_run((50, 60), (100, 400), 90.0), a_run((52, 70), (110, 500), 80.0), a_run((90, 65), (120, 300), 70.0)],
        60: [a_run((55, 90), (130, 800)), a_run((52, 84), (121, 600)), a_run((54, 65), (120, 300))]}


def test_rounds_are_summed_up_by_their_median_and_their_largest_peak():
    assert memory.together(RUNS[6]) == {"splitter": memory.Usage(52, 70, 90.0), "rabbitmq": memory.Usage(110, 500, 0.0)}


def test_one_peak_over_the_limit_is_enough_and_the_broker_has_none():
    assert memory.over_limit(RUNS) == []
    too_much = {6: RUNS[6], 60: [*RUNS[60], a_run((55, 200), (130, 800))]}
    assert memory.over_limit(too_much) == ["splitter needed 200 MB for a track of 60 minutes; the limit is 200 MB"]


def test_rows_compare_a_long_track_with_the_first_length():
    rows = {row.what: row for row in memory.rows_of(RUNS, "passthrough")}
    assert set(rows) == {f"{part}, {kind} memory: a track of 60 min, passthrough" for part in ("splitter", "rabbitmq")
                         for kind in ("peak", "median")}
    row = rows["splitter, peak memory: a track of 60 min, passthrough"]
    assert (row.against, row.unit, row.ratios()) == ("of 6 min", "MB", [1.5, 1.2, 1.0])
    assert rows["rabbitmq, median memory: a track of 60 min, passthrough"].ratios() == [1.3, 1.1, 1.0]


def test_each_length_has_a_table_with_limits_and_folders(capsys):
    memory.report(RUNS, "passthrough")
    short, _, long = capsys.readouterr().out.partition("A track of 60 minutes")
    assert short.startswith("A track of 6 minutes, model passthrough, 10 s.\n")
    assert "| splitter | 52 | 70 | 200 | 90 |\n| rabbitmq | 110 | 500 | - | 0 |\n" in short
    assert "| splitter | 54 | 90 | 200 | 0 |\n" in long


def test_the_exit_status_tells_of_a_part_over_its_limit(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["memory.py", "--json"])
    monkeypatch.setattr(memory, "measure", lambda *_: {6: RUNS[6], 60: [a_run((55, 300), (1, 1))] * 3})
    assert memory.main() == 1
    assert capsys.readouterr().err == "splitter needed 300 MB for a track of 60 minutes; the limit is 200 MB\n"
    monkeypatch.setattr(memory, "measure", lambda *_: RUNS)
    assert memory.main() == 0


def test_lengths_are_taken_in_turn_and_no_song_comes_twice(monkeypatch):
    order = []
    monkeypatch.setattr(memory, "run", lambda folder, minutes, model, seed: order.append((minutes, seed)) or RUNS[minutes][seed])
    assert memory.measure([6, 60], "passthrough", 3) == RUNS
    assert order == [(6, 0), (60, 0), (60, 1), (6, 1), (6, 2), (60, 2)]


@pytest.mark.parametrize("minutes", ["", "60", "60,60"])
def test_rows_without_two_lengths_are_refused(minutes, monkeypatch, capsys):
    monkeypatch.setattr(memory, "measure", lambda *_: pytest.fail("it has begun"))
    monkeypatch.setattr("sys.argv", ["memory.py", "--json", "--minutes", minutes])
    with pytest.raises(SystemExit):
        memory.main()
    assert "two of them for --json" in capsys.readouterr().err


class FakeStack:
    """All its parts are this process, and its splitter keeps a file of 3 MB from before the song to the end of it."""

    def __init__(self, folder: Path, status: int) -> None:
        self.folder = folder / "stack"
        self._status = status
        for place in memory.FOLDERS.values():
            (self.folder / place).mkdir(parents=True)
        (self.folder / memory.FOLDERS["splitter"] / "spool").write_bytes(os.urandom(3_000_000))

    def pids(self) -> dict[str, int]:
        return dict.fromkeys(("epmd", "rabbitmq", "assembler", "splitter", "gateway", "worker-1"), os.getpid())

    def start(self, *arguments: str) -> subprocess.Popen:
        Path(arguments[3]).mkdir()
        command = f"echo '{{\"event\": \"error\"}}'; exit {self._status}"
        return subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def one_run(tmp_path, monkeypatch):
    """A run of a track of a minute, whose command ends with a status."""

    def run(status: int) -> memory.Run:
        @contextmanager
        def stack(workers, models):
            assert models == ("passthrough",)
            yield FakeStack(tmp_path, status)

        monkeypatch.setattr(memory, "Stack", stack)
        return memory.run(tmp_path, 1, "passthrough", 0)

    return run


def test_a_run_has_every_process_but_the_port_mapper(one_run, tmp_path):
    run = one_run(0)
    assert list(run.parts) == ["rabbitmq", "assembler", "splitter", "gateway", "worker-1"]
    assert all(0 < usage.median <= usage.peak for usage in run.parts.values())
    assert run.parts["splitter"].disk >= 3
    assert run.parts["gateway"].disk == 0
    assert not (tmp_path / "stems").exists()


def test_a_separation_that_fails_is_an_error(one_run):
    with pytest.raises(RuntimeError, match="the separation did not work: .*error"):
        one_run(1)


def test_memory_is_read_of_a_process_that_lives_and_of_no_other():
    assert 0 < memory.memory_mb(os.getpid(), "VmRSS") <= memory.memory_mb(os.getpid(), "VmHWM")
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still there to be read
        with pytest.raises(KeyError):
            memory.memory_mb(child.pid, "VmRSS")


def test_disk_is_what_a_folder_occupies_and_a_folder_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(os.urandom(3_000_000))
    assert 3 <= memory.disk_mb(tmp_path) <= 4
    with pytest.raises(IndexError):
        memory.disk_mb(tmp_path / "nothing")
