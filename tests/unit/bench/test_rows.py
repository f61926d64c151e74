"""The table of benchmarks: what a row is, and what bench/run.py makes of groups of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))
import rows  # noqa: E402: the path must be set first


def test_a_ratio_is_that_of_a_round_and_not_of_the_medians():
    row = rows.Row("a", "b", "MB/s", [10.0, 20.0, 900.0], [5.0, 40.0, 1000.0])
    assert row.ratios() == [2.0, 0.5, 0.9]
    assert str(row) == "| a | b | MB/s | 20 | 40 | 0.90 | 0.50 | 2.00 |"


def test_rounds_that_lack_their_partner_are_an_error():
    with pytest.raises(ValueError):
        rows.Row("a", "b", "s", [1.0, 2.0], [1.0]).ratios()


def test_in_turn_alternates_who_goes_first_and_leaves_the_warm_up_out():
    order: list[str] = []

    def measured(name: str) -> int:
        order.append(name)
        return len(order)

    ours, base = rows.in_turn(2, lambda: measured("ours"), lambda: measured("base"))
    assert order == ["ours", "base", "ours", "base", "base", "ours"]
    assert (ours, base) == ([3, 6], [4, 5])


def test_rows_come_back_from_json(capsys):
    written = [rows.Row("a", "b", "s", [1.0], [2.0])]
    rows.write(written, as_json=True)
    assert rows.read(capsys.readouterr().out) == written


@pytest.fixture
def bench(tmp_path):
    """bench/run.py with groups of its own: one works, the others fail each in its way."""
    for name in ("run.py", "rows.py"):
        shutil.copy(BENCH / name, tmp_path)
    script = tmp_path / "run.py"
    before, _, rest = script.read_text().partition("GROUPS = {")
    _, _, after = rest.partition("\n}\n")
    script.write_text(f"{before}GROUPS = {{'good': '', 'broken': '', 'silent': ''}}\n{after}")
    good = "import rows, sys\nprint('noise')\nrows.write([rows.Row('a', 'b', 's', [4.0], [2.0])], '--json' in sys.argv)\n"
    for name, body in (("good", good), ("broken", "raise SystemExit(3)\n"), ("silent", "")):
        group = tmp_path / f"{name}.py"
        group.write_text(f"#!/usr/bin/python3\n{body}")
        group.chmod(0o755)
    return lambda *options: subprocess.run([script, *options], capture_output=True, text=True, timeout=30)


def test_a_group_that_fails_is_named_and_the_others_go_on(bench):
    done = bench("--rows", "broken,silent,good")
    assert done.returncode == 1
    assert done.stderr.endswith("failed: broken, silent\n")
    assert done.stdout == f"{rows.HEAD}\n| a | b | s | 4 | 2 | 2.00 | 2.00 | 2.00 |\n"


def test_all_is_well_when_no_group_fails(bench):
    assert bench("--rows", "good").returncode == 0


def test_a_group_that_is_not_there_is_refused(bench):
    done = bench("--rows", "good,nothing")
    assert done.returncode == 2
    assert "there are no rows nothing; there are good, broken, silent" in done.stderr
