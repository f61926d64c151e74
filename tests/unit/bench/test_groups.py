"""What bench/run.py counts on: every group is a script that takes the same options."""

from __future__ import annotations

import argparse
import subprocess

import pytest
import rows
import run


@pytest.mark.parametrize("group", run.GROUPS)
def test_a_group_is_a_script_that_takes_repeats_and_json(group):
    done = subprocess.run([run.HERE / f"{group}.py", "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "--repeats REPEATS" in done.stdout
    assert "--json" in done.stdout


def test_no_rounds_at_all_are_refused(capsys):
    with pytest.raises(SystemExit):
        rows.arguments(None, repeats=3).parse_args(["--repeats", "0"])
    assert "argument --repeats: invalid positive value: '0'" in capsys.readouterr().err


def test_numbers_are_separated_by_commas_and_may_be_left_out():
    assert rows.numbers("1,3,10") == [1, 3, 10]
    assert rows.numbers("") == []


@pytest.mark.parametrize("text", ["0", "1,-3", "1,,3", "1.5", "a"])
def test_what_is_no_number_of_things_is_refused(text):
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("sizes", type=rows.numbers)
    with pytest.raises(argparse.ArgumentError):
        parser.parse_args(["--", text])
