"""scripts/stack.sh where there is nothing to act on. No process is started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "stack.sh"


def run(state: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = dict(os.environ, UNBRAID_STACK_DIR=str(state))
    return subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_ctl_before_any_up_says_what_to_do(tmp_path):
    done = run(tmp_path, "ctl", "list_queues")
    assert done.returncode == 1
    assert done.stderr == f"error: there is no broker in {tmp_path} yet; start it with scripts/stack.sh up\n"


def test_stop_and_restart_refuse_a_part_that_is_not_there(tmp_path):
    (tmp_path / "settings").write_text("WORKERS=1\nDATA=unused\nMODELS=(passthrough)\n")
    for command in ("stop", "restart"):
        done = run(tmp_path, command, "worker-2")
        assert done.returncode == 1
        assert done.stderr == "error: there is no part named 'worker-2' in this stack\n"


def test_stop_takes_a_part_that_has_ended(tmp_path):
    (tmp_path / "settings").write_text("WORKERS=1\nDATA=unused\nMODELS=(passthrough)\n")
    done = run(tmp_path, "stop", "worker-1")
    assert done.returncode == 0, done.stderr
