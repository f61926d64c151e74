"""Downloads from a server on this machine that breaks off, sends too much, or sends something else."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unbraid_models.export.download import download
from unbraid_models.export.weights import WEIGHTS, Weight
from unbraid_models.fetch import FetchError, TamperedError

BODY = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(BODY).hexdigest()


class Publisher(ThreadingHTTPServer):
    """Serves BODY. `cuts`: after how many bytes each answer in turn breaks off; then answers are whole."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = BODY
        self.cuts: list[int] = []
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []

    def weight(self, sha256: str = DIGEST, size: int | None = len(BODY)) -> Weight:
        return Weight(f"http://127.0.0.1:{self.server_port}/folder/model.th", sha256, size)


class Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        if self.server.status != 200 or begin >= len(self.server.body):
            self.send_error(self.server.status if self.server.status != 200 else 416)
            return
        body = self.server.body[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(self.server.body) - 1}/{len(self.server.body)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts.pop(0)] if self.server.cuts else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Publisher() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_once(publisher: Publisher, tmp_path: Path) -> None:
    path = download(publisher.weight(), tmp_path / "cache")
    assert path.name == "model.th" and path.read_bytes() == BODY
    assert download(publisher.weight(), tmp_path / "cache") == path
    assert publisher.asked == [None]
    assert list(path.parent.iterdir()) == [path]


def test_a_download_that_breaks_off_is_gone_on_with(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [100_000, 50_000]
    assert download(publisher.weight(), tmp_path).read_bytes() == BODY
    assert publisher.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_what_an_earlier_run_left_is_gone_on_with(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [1000, 0, 0, 0]
    with pytest.raises(FetchError, match="the connection ended .* too early; fetch it by other means"):
        download(publisher.weight(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.th.part"]
    publisher.asked.clear()
    assert download(publisher.weight(), tmp_path).read_bytes() == BODY
    assert publisher.asked == ["bytes=1000-"]


def test_a_server_that_knows_no_ranges_sends_the_whole_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.ranges = False
    (tmp_path / "model.th.part").write_bytes(b"the beginning of something")
    assert download(publisher.weight(), tmp_path).read_bytes() == BODY


def test_a_whole_part_needs_no_server_and_one_that_is_too_long_begins_anew(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "model.th.part").write_bytes(BODY)
    assert download(publisher.weight(), tmp_path).read_bytes() == BODY
    assert publisher.asked == []
    (tmp_path / "model.th").rename(tmp_path / "model.th.part")
    with (tmp_path / "model.th.part").open("ab") as part:
        part.write(b"more")
    assert download(publisher.weight(size=None), tmp_path).read_bytes() == BODY
    assert publisher.asked == [f"bytes={len(BODY) + 4}-", None]


def test_another_file_is_refused_and_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.body = BODY[:-1] + b"x"
    with pytest.raises(TamperedError, match=f"has SHA-256 .*, expected {DIGEST}"):
        download(publisher.weight(), tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(TamperedError, match=f"expected {DIGEST[:8]}\\.\\.\\."):
        download(publisher.weight(sha256=DIGEST[:8], size=None), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_size_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(TamperedError, match=f"has {len(BODY)} bytes, expected {len(BODY) + 1}"):
        download(publisher.weight(size=len(BODY) + 1), tmp_path)
    with pytest.raises(TamperedError, match="sends more than the 1000 bytes"):
        download(publisher.weight(size=1000), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_changed_later_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "model.th").write_bytes(BODY[:-1])
    with pytest.raises(TamperedError, match="model.th has"):
        download(publisher.weight(), tmp_path)
    assert (tmp_path / "model.th").exists() and publisher.asked == []


def test_a_server_that_has_no_such_file_is_named(publisher: Publisher, tmp_path: Path) -> None:
    publisher.status = 404
    with pytest.raises(FetchError, match="model.th: HTTP Error 404"):
        download(publisher.weight(), tmp_path)


def test_the_table_agrees_with_the_names_of_the_files() -> None:
    """Demucs and Open-Unmix name a file for the first digits of its hash."""
    files = [weight for weights in WEIGHTS.values() for weight in weights]
    assert len({weight.url for weight in files}) == len(files)
    for weight in files:
        assert weight.url.startswith("https://") and set(weight.sha256) <= set("0123456789abcdef")
        assert len(weight.sha256) == (64 if weight.size else 8)
        if "-" in weight.file:
            assert weight.file.rpartition("-")[2].partition(".")[0] == weight.sha256[:8]
