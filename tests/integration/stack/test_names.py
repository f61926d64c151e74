"""Names are labels: whatever they are, they come back as they were, and decide nothing about where anything is stored (case 31)."""

import subprocess

import pytest
from api import Refusal
from sounds import encode, tone

LABELS = {
    "an upward path": "../../x",
    "an absolute path": "/etc/unbraid-was-here",
    "a dot": ".",
    "two dots": "..",
    "nothing": "",
    "a newline": "new\nline\r\n.wav",
    "terminal control": "\x1b[2J\x07bell\x7f",
    "a zero byte": "a\0b.wav",
    "Japanese": "04 絆ふぉーえばー.mp3",
    "emoji of several code points": "👩‍👩‍👧‍👦🎸.wav",
    "right to left, and an override": "שיר \u202egnp.vaw",
    "both forms of an accent": "ó o\u0301.wav",
    "quotes, shell and SQL": "'; DROP TABLE tracks; -- $(rm -rf ~) `id` \"",
    "percent and braces": "%s%n {0} {{x}}",
    "255 bytes": "é" * 127 + "x",
    "outside the first plane, to the last": "\U0010ffff\U00010000",
}


def sound(number):
    """Content of its own: known bytes would give the track that is there, with its first label."""
    return encode(tone(1000 + number), 44100, "WAV", "PCM_16")


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", LABELS)
def test_a_label_comes_back_as_it_was(stack, api, kind):
    label = LABELS[kind]
    track = api.upload(sound(list(LABELS).index(kind)), label)
    assert not isinstance(track, Refusal), track
    again = api.track(track.name)
    listed = {each.name: each.display_name for each in api.tracks()}
    assert track.display_name == again.display_name == listed[track.name] == label
    assert track.name.removeprefix("tracks/").isdigit()
    # Every stored file has the name of a number, in the folder for it.
    assert files_below(stack.folder / "state/data/splitter/tracks") == {name.removeprefix("tracks/") for name in listed}


@pytest.mark.parametrize("label", ["x" * 256, "é" * 128], ids=["of one byte each", "of two bytes each"])
def test_a_label_of_256_bytes_is_refused_with_the_limit(api, label):
    answer = api.upload(sound(500), label)
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_NAME"), answer
    assert "at most 255 bytes" in answer.message


def test_a_label_that_is_no_utf_8_is_refused_and_the_log_stays_readable(stack, api):
    answer = api.upload(sound(502), "LABEL", damage=lambda message: message.replace(b"LABEL", b"\xffBEL\xfe"))
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_UPLOAD"), answer
    assert "UTF-8" in answer.message
    # Every line of every log is JSON, the library's own words included.
    assert any("display_name" in line.get("detail", "") for line in stack.log_lines())


@pytest.mark.parametrize("name", ["tracks/../../etc/passwd", "tracks//", "/etc/passwd", "tracks/1 ", "tracks/１", "tracks/-1"])
def test_a_resource_name_that_is_a_path_is_refused(api, name):
    answer = api.track(name)
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_NAME"), answer


@pytest.mark.parametrize("upload_id", ["../../x", "a/b", "a b", "x" * 65, "ü"])
def test_an_upload_id_that_could_be_a_path_is_refused(stack, api, upload_id):
    answer = api.upload(sound(501), upload_id=upload_id)
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_NAME"), answer
    assert not files_below(stack.folder / "state/data/splitter/uploads")


@pytest.mark.parametrize("name,folder", [
    ("04 絆ふぉーえばー.wav", "04 絆ふぉーえばー"),
    ("👩‍👩‍👧‍👦🎸.wav", "👩‍👩‍👧‍👦🎸"),
    ("שיר.wav", "שיר"),
    ("..wav", "stems"),
    ("...wav", "stems"),
    ("-o.wav", "-o"),
    ("new\nline.wav", "new_line"),
    ("\x1b[31mred.wav", "_[31mred"),
])
def test_the_command_makes_a_folder_beside_itself_and_nothing_elsewhere(stack, tmp_path, name, folder):
    home = tmp_path / "outer" / "home"
    home.mkdir(parents=True)
    (home / name).write_bytes(sound(900 + len(name.encode())))
    done = subprocess.run(["unbraid", "--json", "separate", "--model", "passthrough", "--", name], cwd=home, env=stack.environment,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    stems = {f"{folder}/{stem}.wav" for stem in ("vocals", "drums", "bass", "other", "mix")}
    assert files_below(tmp_path) == {f"outer/home/{path}" for path in stems | {name}}
