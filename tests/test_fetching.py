"""Fetching weights from a server on this machine: resumed, checked, refused; packs; what is recorded."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import shutil
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import save, save_file
from torch import nn

from faceedit_bench import downloading, fetching, folders, weights
from faceedit_bench.api import JudgeSpec, Pin, View
from faceedit_bench.catalog import Catalog
from faceedit_bench.cli import cli, judges
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
    chunked: bool = False  # a chunk is promised, and the connection closed within it
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
            if told.chunked:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"200000\r\n" + rest[:1_500_000])
                return None
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
        load=lambda context: context.adopt(nn.Linear(300_000, 2), dict),
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
        downloading.download("http://127.0.0.1:9/net", folders.weights())


def test_offline_nothing_is_asked_and_everything_that_lacks_is_listed(
    pin: Pin, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Pin("drive.pth", HASH, len(CONTENT), "a cloud drive", "MIT")
    offer(monkeypatch, pin, other)
    result = invoke("fetch", "--all", "--offline")
    assert result.exit_code == 1 and "2 of 2 files could not be had" in result.output
    assert "net.safetensors: cannot be had without a network" in result.output
    assert "but from a cloud drive (licence MIT)" in result.output
    (tmp_path / pin.file).write_bytes(CONTENT)
    assert invoke("fetch", "toy", "--from", str(tmp_path), "--offline").exit_code == 0
    assert (folders.weights() / pin.file).read_bytes() == CONTENT and server.ranges == []
    assert "drive.pth: cannot be had by an address" in invoke("fetch", "--all").output


def test_a_file_that_cannot_be_had_keeps_no_other_waiting(
    pin: Pin, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Pin("wrong.safetensors", "0" * 64, len(CONTENT), server.address, "MIT")
    offer(monkeypatch, wrong, pin, Pin("drive.pth", HASH, len(CONTENT), "a cloud drive", "MIT"))
    result = invoke("fetch", "toy", "toy1", "toy2")
    assert result.exit_code == 1 and "2 of 3 files could not be had:" in result.output
    assert f"wanted sha256 {'0' * 64}" in result.output and "drive.pth: cannot be had" in result.output
    assert (folders.weights() / pin.file).read_bytes() == CONTENT
    assert not (folders.weights() / wrong.file).exists() and arriving() == []


def test_a_file_that_several_judges_share_is_fetched_once(
    pin: Pin, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, pin, pin)
    assert "1 file(s) fetched" in invoke("fetch", "--all").output and len(server.ranges) == 1


def test_a_second_fetch_of_the_same_file_waits_and_finds_it(pin: Pin, server: Server) -> None:
    said: list[str] = []
    asked = fetching.named(["toy"])
    second = threading.Thread(target=lambda: fetching.fetch(asked, say=said.append))
    with fetching._alone(downloading.silent):
        second.start()
        deadline = time.monotonic() + 10
        while not said and time.monotonic() < deadline:
            time.sleep(0.01)
        (folders.weights() / pin.file).write_bytes(CONTENT)
    second.join(10)
    assert not second.is_alive() and server.ranges == []
    assert said == [f"{folders.weights()}: another command is fetching into it; waiting for it"]


def test_a_connection_that_breaks_inside_a_chunk_is_told(
    pin: Pin, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, Pin(pin.file, "", 0, server.address, "MIT"))  # no size is known
    server.chunked = True
    result = invoke("fetch", "toy")
    assert (
        result.exit_code == 1 and "broke off after" in result.output and "of unknown bytes" in result.output
    )
    assert not (folders.weights() / pin.file).exists() and weights.recorded() == {}


# ---- disks ----------------------------------------------------------------------------------------


def full(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_while_a_file_arrives_leaves_no_file_and_is_told(pin: Pin, tmp_path: Path) -> None:
    part = folders.weights() / fetching.ARRIVING / pin.file
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    result = invoke("fetch", "toy")
    assert result.exit_code == 1 and "No space left on device" in result.output
    assert "choose another folder with FACEEDIT_WEIGHTS" in result.output
    assert not (folders.weights() / pin.file).exists()


def test_a_full_disk_while_files_are_added_or_unpacked_leaves_nothing(
    pin: Pin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / pin.file).write_bytes(CONTENT)
    invoke("add", str(tmp_path / pin.file))
    assert invoke("pack", str(tmp_path / "judges.tar"), "toy").exit_code == 0
    (folders.weights() / pin.file).unlink()
    for function, words in (
        ("copyfile", ("add", str(tmp_path / pin.file))),
        ("copyfileobj", ("unpack", str(tmp_path / "judges.tar"))),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(shutil, function, full)
            result = invoke(*words)
        assert result.exit_code == 1 and "No space left on device" in result.output
        assert [path for path in folders.weights().rglob("*") if path.is_file()] == []


def test_a_weights_folder_that_cannot_be_written_is_told_by_every_command(
    pin: Pin, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / pin.file).write_bytes(CONTENT)
    invoke("add", str(tmp_path / pin.file))
    assert invoke("pack", str(tmp_path / "judges.tar"), "toy").exit_code == 0
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACEEDIT_WEIGHTS", str(tmp_path / "file" / "weights"))
    for words in (("fetch", "toy"), ("add", pin.file), ("unpack", "judges.tar")):
        result = invoke(words[0], *(str(tmp_path / word) if "." in word else word for word in words[1:]))
        assert result.exit_code == 1 and f"{folders.weights()}: cannot be written" in result.output, words
    assert server.ranges == []
    result = invoke("pack", str(tmp_path / "file" / "judges.tar"), "toy")
    assert "nothing to pack" in result.output


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
    right = {"weight": torch.zeros(2, 300_000), "bias": torch.zeros(2)}
    for state, fault in (
        ({**right, "weight": torch.zeros(2, 4)}, "weight: wanted (2, 300000), found (2, 4)"),
        ({"kernel": right["weight"], "bias": right["bias"]}, "missing weight (2, 300000)"),
        ({**right, "bias": torch.zeros(2).half()}, "wanted tensors of float32, found 1 of float16"),
        ({**right, "bias": torch.tensor([0, torch.nan])}, "1 tensors hold NaN or infinity, first bias"),
    ):
        save_file(state, file)
        result = invoke("add", str(file))
        assert result.exit_code == 1 and fault in result.output and weights.recorded() == {}, fault
        assert not folders.weights().exists()


def test_a_file_of_another_name_is_added_by_saying_what_it_is(unpublished: Pin, tmp_path: Path) -> None:
    file = tmp_path / "downloaded.safetensors"
    file.write_bytes(CONTENT)
    assert "told by its name, or by --as" in invoke("add", str(file)).output
    assert invoke("add", str(file), "--as", "toy").exit_code == 0
    assert (folders.weights() / unpublished.file).is_file()


def test_the_card_that_training_wrote_comes_along_and_its_gates_are_told(
    unpublished: Pin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, card = tmp_path / unpublished.file, tmp_path / "net.json"
    file.write_bytes(CONTENT)
    verdicts = [{"verdict": "fails"}, {"verdict": "passes"}, {"verdict": "not measured"}]
    told = {**dataclasses.asdict(unpublished), "sha256": "0" * 64, "gates": {"verdicts": verdicts}}
    card.write_text(json.dumps(told))  # of other weights
    assert invoke("add", str(file)).exit_code == 0 and not (folders.weights() / card.name).exists()
    card.write_text(json.dumps({**told, "sha256": HASH}))
    assert invoke("add", str(file)).exit_code == 0
    assert (folders.weights() / card.name).read_text() == card.read_text()
    monkeypatch.setattr(judges, "catalog", fetching.catalog)
    assert "not to be published: 2 of 3 gates are not passed" in CliRunner().invoke(cli, ["judges"]).output


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
    result = invoke("unpack", str(packed("other.safetensors", CONTENT)))
    assert "0 file(s) accepted" in result.output and "nothing here is pinned to it" in result.output
    result = invoke("unpack", str(packed("../../evil", CONTENT)))
    assert result.exit_code == 1 and "'../../evil' in it leads elsewhere" in result.output
    (tmp_path / "page.html").write_text("<html>")
    assert "not a pack of weights" in invoke("unpack", str(tmp_path / "page.html")).output
    assert "gone.tar: no such file" in invoke("unpack", "gone.tar").output
    assert not (folders.weights() / pin.file).exists() and arriving() == []


def test_a_pack_that_is_cut_off_or_holds_links_gives_nothing(pin: Pin, tmp_path: Path) -> None:
    (tmp_path / pin.file).write_bytes(CONTENT)
    invoke("add", str(tmp_path / pin.file))
    pack = tmp_path / "judges.tar"
    invoke("pack", str(pack), "toy")
    (folders.weights() / pin.file).unlink()
    whole = pack.read_bytes()
    for length in (100, 5_000, 1_000_000, len(CONTENT)):  # in the index, in the file, at its last bytes
        pack.write_bytes(whole[:length])
        result = invoke("unpack", str(pack))
        assert result.exit_code == 1 and "cut off, or not a pack" in result.output, length
        assert len(result.output.splitlines()) == 1 and "copy it again" in result.output
    index = json.dumps([{"file": pin.file, "sha256": HASH, "bytes": 0, "origin": "", "licence": ""}])
    (tmp_path / "index.json").write_text(index)
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        with tarfile.open(pack, "w") as archive:
            archive.add(tmp_path / "index.json", "index.json")
            link = tarfile.TarInfo(pin.file)
            link.type, link.linkname = kind, str(tmp_path / pin.file)
            archive.addfile(link)
        result = invoke("unpack", str(pack))
        assert result.exit_code == 1 and "is no plain file, but a link" in result.output
    assert not (folders.weights() / pin.file).exists() and arriving() == []


def test_a_file_that_a_plugin_borrows_from_another_is_packed_by_its_own_name(
    pin: Pin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / pin.file).write_bytes(CONTENT)
    offer(monkeypatch, dataclasses.replace(pin, file=f"../other/{pin.file}"))
    invoke("add", str(tmp_path / pin.file))
    assert (folders.weights() / pin.file).read_bytes() == CONTENT
    pack = tmp_path / "judges.tar"
    assert invoke("pack", str(pack), "toy").exit_code == 0
    with tarfile.open(pack) as archive:
        assert archive.getnames() == ["index.json", pin.file]
    (folders.weights() / pin.file).unlink()
    assert invoke("unpack", str(pack)).exit_code == 0
    assert (folders.weights() / pin.file).read_bytes() == CONTENT
