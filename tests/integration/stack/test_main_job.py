"""The main job on real parts: a real song, the default model, the commands of the README."""

import json
import re
import shlex
import subprocess

import numpy as np
import pytest
import soundfile
from stack import ROOT, Stack, demo_song, read

STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2) as running:
        yield running


def sdr(truth, estimate):
    return 10 * np.log10(np.sum(truth**2) / max(np.sum((truth - estimate) ** 2), 1e-20))


def test_a_real_song_gives_five_files_that_add_up_to_it(stack, tmp_path):
    song = demo_song(30)
    separation = stack.separate(song, tmp_path)
    truth = read(song)
    files = {name: read(tmp_path / f"{name}.wav") for name in STEMS + ("mix",)}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.wav" for name in files)
    for name, samples in files.items():
        assert samples.shape == truth.shape, name
        assert soundfile.info(tmp_path / f"{name}.wav").subtype == "PCM_16"
    gain = 10 ** (separation["gain_db"] / 20)
    total = sum(files[name] for name in STEMS)
    assert sdr(truth * gain, total) >= 60
    assert sdr(truth * gain, files["mix"]) >= 60
    # The song is instrumental: its vocals are silent, or nearly so.
    for name in ("drums", "bass", "other"):
        assert np.sqrt(np.mean(files[name] ** 2)) > 1e-3, f"{name} is silent"


def test_the_same_song_again_is_served_at_once(stack, tmp_path):
    song = demo_song(30)
    first = stack.separate(song, tmp_path / "first")
    again = stack.separate(song, tmp_path / "again")
    assert again["name"] == first["name"] and again["end_time"] == first["end_time"]
    assert (tmp_path / "first/vocals.wav").read_bytes() == (tmp_path / "again/vocals.wav").read_bytes()


def test_logs_are_one_json_object_a_line_and_name_the_separation(stack, tmp_path):
    separation = stack.separate(demo_song(30), tmp_path)
    number = separation["name"].split("/")[1]
    lines = stack.log_lines()
    services = {line["service"] for line in lines}
    assert services >= {"gateway", "assembler-1", "worker-1"}, services
    named = {line["service"] for line in lines if line.get("separation") == number}
    assert any(name.startswith("splitter") for name in named), named
    assert "assembler-1" in named and any(name.startswith("worker") for name in named), named


def readme_block(heading, number=0):
    """The commands of the n-th fenced block below a heading of the README."""
    section = (ROOT / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[number]


def run_readme(stack, commands, folder, song):
    environment = dict(stack.environment, SONG=str(song))
    return subprocess.run(["bash", "-euo", "pipefail", "-c", commands], env=environment, cwd=folder, capture_output=True, text=True,
                          timeout=300)


def short_song(tmp_path):
    song = tmp_path / "short.wav"
    samples, rate = soundfile.read(demo_song(30), dtype="float32", always_2d=True)
    soundfile.write(song, samples[: rate * 5], rate, subtype="PCM_16")
    return song


def test_grpcurl_lists_and_describes_everything_by_reflection(stack, tmp_path):
    done = run_readme(stack, readme_block("By hand with grpcurl", 0), tmp_path, "")
    assert done.returncode == 0, done.stderr
    for name in ("TrackService", "SeparationService", "SystemService"):
        assert f"unbraid.v1.{name}" in done.stdout
    assert "grpc.health.v1.Health" in done.stdout
    assert "unbraid-4" in done.stdout


def test_the_readme_separates_a_song_with_grpcurl_alone(stack, tmp_path):
    song = short_song(tmp_path)
    done = run_readme(stack, readme_block("By hand with grpcurl", 1), tmp_path, song)
    assert done.returncode == 0, done.stderr
    assert "STATE_SUCCEEDED" in done.stdout
    assert len(read(tmp_path / "vocals.wav")) == len(read(song))


def test_the_readmes_python_example_separates_a_song_in_one_call(stack, tmp_path):
    song = short_song(tmp_path)
    commands = f"cd {shlex.quote(str(ROOT))}; " + readme_block("From a program").replace(
        "build/python", str(tmp_path / "python")).replace("stems/", str(tmp_path / "stems"))
    done = run_readme(stack, commands, tmp_path, song)
    assert done.returncode == 0, done.stderr
    for name in STEMS + ("mix",):
        assert len(read(tmp_path / "stems" / f"{name}.wav")) == len(read(song)), name


def test_server_info_shows_workers_and_a_healthy_broker(stack):
    status, events = stack.run("info")
    assert status == 0
    info = events[0]["info"]
    assert info["broker"]["connected"] and all(service["available"] for service in info["services"])
    assert {queue["model"]: int(queue["workers"]) for queue in info["queues"]}["unbraid-4"] == 2
    assert json.loads(info["limits"]["max_upload_bytes"]) > 0
