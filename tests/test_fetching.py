"""Fetching weights from a server on this machine: resumed, checked, refused; packs; what is recorded."""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import save, save_file
from torch import nn

from faceedit_bench import fetching, folders, weights
from faceedit_bench.api import JudgeSpec, Pin, View
from faceedit_bench.catalog import Catalog
from faceedit_bench.cli import cli
from faceedit_bench.errors import WrongWeights

CONTENT = save({"weight": torch.zeros(2, 300_000), "bias": torch.zeros(2)})  # 2.4 MB: three blocks
HASH = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """What it has, what it was asked, and how it misbehaves."""

    address: str = ""
    content: bytes = CONTENT
    kind: str = "application/octet-stream"
    breaks_after: int = 0  # bytes of an answer after which the connection is closed
    status: int = 200
    ranges: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if told.status != 200:
                return self.send_error(told.status)
            tag = f'"{hashlib.sha256(told.content).hexdigest()[:16]}"'
            asked = self.headers.get("Range", "")
            told.ranges.append(asked)
            start = int(asked[6:-1]) if asked and self.headers.get("If-Range") == tag else 0
            if start >= len(told.content):
                return self.send_error(416)
            rest = told.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(told.content) - 1}/{len(told.content)}"
                )
            self.send_header("Content-Length", str(len(rest)))
            self.send_header("Content-Type", told.kind)
            self.send_header("ETag", tag)
            self.end_headers()
            self.wfile.write(rest[: told.breaks_after or len(rest)])

        def log_message(self, *args: object) -> None:
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        told.address = f"http://127.0.0.1:{listening.server_port}/net.safetensors"
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield told
        listening.shutdown()
        thread.join()


def judge(pin: Pin, name: str = "toy") -> JudgeSpec:
    return JudgeSpec(
        name,
        "1",
        "identity",
        "",
        pin,
        View(8),
        2,
        load=lambda context: context.restore(nn.Linear(300_000, 2)),
    )


def offer(monkeypatch: pytest.MonkeyPatch, *pins: Pin) -> None:
    judges = {f"toy{i or ''}": judge(pin, f"toy{i or ''}") for i, pin in enumerate(pins)}
    monkeypatch.setattr(fetching, "catalog", lambda: Catalog(judges=judges))


@pytest.fixture
def pin(server: Server, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """A judge is pinned to what the server has."""
    pin = Pin("net.safetensors", HASH, len(CONTENT), server.address, "CC BY-NC 4.0")
    offer(monkeypatch, pin)
    return pin


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, ["weights", *words])


def arriving() -> list[str]:
    return sorted(path.name for path in (folders.weights() / fetching.ARRIVING).glob("*"))


# ---- fetching -------------------------------------------------------------------------------------


def test_a_file_is_fetched_checked_and_its_licence_shown(pin: Pin) -> None:
    result = invoke("fetch", "toy")
    assert result.exit_code == 0, result.output
    assert "licence CC BY-NC 4.0" in result.output and HASH in result.output
    assert (folders.weights() / pin.file).read_bytes() == CONTENT and arriving() == []
    assert "0 file(s) fetched, 1 were here" in invoke("fetch", pin.file).output


def test_a_download_that_broke_off_goes_on_where_it_stopped(pin: Pin, server: Server) -> None:
    server.breaks_after = 1_500_000
    result = invoke("fetch", "toy")
    assert result.exit_code == 1 and f"broke off after 1500000 of {len(CONTENT)} bytes" in result.output
    assert not (folders.weights() / pin.file).exists()
    server.breaks_after = 0
    assert invoke("fetch", "toy").exit_code == 0
    assert server.ranges == ["", "bytes=1500000-"]
    assert (folders.weights() / pin.file).read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_is_begun_anew(pin: Pin, server: Server) -> None:
    server.breaks_after, server.content = 1_500_000, CONTENT[::-1]
    assert invoke("fetch", "toy").exit_code == 1
    server.breaks_after, server.content = 0, CONTENT
    assert invoke("fetch", "toy").exit_code == 0
    assert (folders.weights() / pin.file).read_bytes() == CONTENT


def test_a_file_that_was_whole_when_the_program_died_is_accepted(pin: Pin, server: Server) -> None:
    part = folders.weights() / fetching.ARRIVING / pin.file
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    part.with_name(f"{part.name}.etag").write_text(f'"{HASH[:16]}"')
    assert invoke("fetch", "toy").exit_code == 0 and (folders.weights() / pin.file).is_file()


def test_a_page_of_html_is_refused(pin: Pin, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, Pin(pin.file, HASH, 0, server.address, "MIT"))
    server.content, server.kind = b"<p>Sign in</p>", "text/html; charset=utf-8"
    assert "is a page of HTML, not a weights file" in invoke("fetch", "toy").output
    server.content, server.kind = b"\n<!DOCTYPE html><title>Google Drive</title>", "application/octet-stream"
    result = invoke("fetch", "toy")
    assert result.exit_code == 1 and "is a page of HTML" in result.output and arriving() == []


def test_another_size_is_refused_before_it_is_read_and_another_hash_after(pin: Pin, server: Server) -> None:
    server.content = CONTENT + b"x"
    result = invoke("fetch", "toy")
    assert f"wanted {len(CONTENT)} bytes, the server has {len(CONTENT) + 1}" in result.output
    server.content = CONTENT[:-1] + b"x"
    result = invoke("fetch", "toy")
    assert result.exit_code == 1 and f"wanted sha256 {HASH}, found" in result.output
    assert arriving() == [] and not (folders.weights() / pin.file).exists()


def test_a_server_that_does_not_have_it_and_one_that_is_not_there(pin: Pin, server: Server) -> None:
    server.status = 404
    assert "the server answers 404" in invoke("fetch", "toy").output
    with pytest.raises(WrongWeights, match="cannot be reached"):
        fetching.download("http://127.0.0.1:9/net", folders.weights())


def test_offline_nothing_is_asked_and_everything_that_lacks_is_listed(
    pin: Pin, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Pin("drive.pth", HASH, len(CONTENT), "a cloud drive", "MIT")
    offer(monkeypatch, pin, other)
    result = invoke("fetch", "--all", "--offline")
    assert result.exit_code == 1 and "2 file(s) cannot be had without a network" in result.output
    assert "net.safetensors: from" in result.output and "drive.pth: from a cloud drive" in result.output
    (tmp_path / pin.file).write_bytes(CONTENT)
    assert invoke("fetch", "toy", "--from", str(tmp_path), "--offline").exit_code == 0
    assert (folders.weights() / pin.file).read_bytes() == CONTENT and server.ranges == []
    assert "1 file(s) cannot be had by an address" in invoke("fetch", "--all").output


def test_a_name_that_nothing_has_is_answered_with_the_nearest(pin: Pin) -> None:
    assert "did you mean 'toy'?" in invoke("fetch", "toyy").output
    assert "say which" in invoke("fetch").output


# ---- files whose hash nobody publishes --------------------------------------------------------------


@pytest.fixture
def unpublished(server: Server, monkeypatch: pytest.MonkeyPatch) -> Pin:
    pin = Pin("net.safetensors", "", 0, server.address, "MIT")
    offer(monkeypatch, pin)
    return pin


def test_its_hash_is_recorded_shown_and_from_then_on_demanded(unpublished: Pin, tmp_path: Path) -> None:
    file = tmp_path / unpublished.file
    file.write_bytes(CONTENT)
    result = invoke("add", str(file))
    assert result.exit_code == 0 and f"recorded with sha256 {HASH}" in result.output
    assert weights.recorded() == {unpublished.file: {"sha256": HASH, "bytes": len(CONTENT)}}
    assert weights.settled(unpublished, file).sha256 == HASH
    assert json.loads(invoke("verify", "--json").output)[0]["state"] == "verified"
    save_file({"weight": torch.ones(2, 300_000), "bias": torch.zeros(2)}, file)
    result = invoke("add", str(file))
    assert result.exit_code == 1 and f"was recorded with {HASH}" in result.output
    assert invoke("add", str(file), "--replace").exit_code == 0
    assert weights.recorded()[unpublished.file]["sha256"] == weights.sha256(file) != HASH


def test_it_must_fit_its_judge_before_it_is_recorded(unpublished: Pin, tmp_path: Path) -> None:
    file = tmp_path / unpublished.file
    save_file({"weight": torch.zeros(2, 4)}, file)
    result = invoke("add", str(file))
    assert result.exit_code == 1 and "does not fit Linear" in result.output and weights.recorded() == {}


def test_a_file_of_another_name_is_added_by_saying_what_it_is(unpublished: Pin, tmp_path: Path) -> None:
    file = tmp_path / "downloaded.safetensors"
    file.write_bytes(CONTENT)
    assert "told by its name, or by --as" in invoke("add", str(file)).output
    assert invoke("add", str(file), "--as", "toy").exit_code == 0
    assert (folders.weights() / unpublished.file).is_file()


def test_it_may_be_fetched_and_is_recorded(unpublished: Pin) -> None:
    assert invoke("fetch", "toy").exit_code == 0 and weights.recorded()[unpublished.file]["sha256"] == HASH


# ---- packs ----------------------------------------------------------------------------------------


def test_a_pack_carries_files_to_a_machine_without_a_network(
    pin: Pin, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / "judges.tar"
    assert "nothing to pack" in invoke("pack", str(pack), "toy").output
    invoke("fetch", "toy")
    assert invoke("pack", str(pack), "toy").exit_code == 0
    monkeypatch.setenv("FACEEDIT_WEIGHTS", str(tmp_path / "elsewhere"))
    server.status = 500
    result = invoke("unpack", str(pack))
    assert result.exit_code == 0 and "1 file(s) accepted" in result.output
    assert (tmp_path / "elsewhere" / pin.file).read_bytes() == CONTENT and arriving() == []


def test_a_pack_with_another_content_or_strange_names_is_refused(pin: Pin, tmp_path: Path) -> None:
    def packed(name: str, content: bytes) -> Path:
        (tmp_path / "content").write_bytes(content)
        index = [{"file": name, "sha256": HASH, "bytes": len(content), "origin": "", "licence": ""}]
        (tmp_path / "index.json").write_text(json.dumps(index))
        with tarfile.open(tmp_path / "pack.tar", "w") as archive:
            archive.add(tmp_path / "index.json", "index.json")
            archive.add(tmp_path / "content", name)
        return tmp_path / "pack.tar"

    result = invoke("unpack", str(packed(pin.file, CONTENT[::-1])))
    assert result.exit_code == 1 and f"wanted sha256 {HASH}" in result.output
    result = invoke("unpack", str(packed("../../evil", CONTENT)))
    assert "0 file(s) accepted" in result.output and "nothing here is pinned to it" in result.output
    (tmp_path / "page.html").write_text("<html>")
    assert "not a pack of weights" in invoke("unpack", str(tmp_path / "page.html")).output
    assert not (folders.weights() / pin.file).exists()
