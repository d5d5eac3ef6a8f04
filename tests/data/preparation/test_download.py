import dataclasses
import hashlib
import http.server
import itertools
import threading
import time

import pytest

from seg_jax.data.preparation import download as module
from seg_jax.data.preparation.disk import DiskFullError
from seg_jax.data.preparation.download import download
from seg_jax.data.spec import Archive
from seg_jax.data.validate import DataError

BODY = bytes(range(256)) * 1000
FAST = (0.01, 0.01)


@dataclasses.dataclass
class Server:
    """What a server does; every field may be changed between requests.

    Attributes:
        body: what it sends.
        tag: its ETag.
        ranges: whether it knows them.
        breaks: after how many bytes it hangs up, one entry a request; then never.
        errors: statuses that it answers with, one a request; then none.
        asked: headers of every request.
    """

    body: bytes = BODY
    tag: str = '"one"'
    ranges: bool = True
    breaks: list[int] = dataclasses.field(default_factory=list)
    errors: list[int] = dataclasses.field(default_factory=list)
    asked: list[dict[str, str]] = dataclasses.field(default_factory=list)
    url: str = ""

    def archive(self, **facts) -> Archive:
        return Archive(self.url, "file.zip", **facts)


class Handler(http.server.BaseHTTPRequestHandler):
    plan: Server

    def do_GET(self):
        plan = self.plan
        plan.asked.append(dict(self.headers))
        if plan.errors:
            self.send_error(plan.errors.pop(0))
            return
        first = 0
        wanted = self.headers.get("Range")
        if wanted and plan.ranges and self.headers.get("If-Range") == plan.tag:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= len(plan.body):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(plan.body) - first))
        if plan.tag:
            self.send_header("ETag", plan.tag)
        self.end_headers()
        last = first + plan.breaks.pop(0) if plan.breaks else None
        self.wfile.write(plan.body[first:last])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    plan = Server()
    kind = type("Handler", (Handler,), {"plan": plan})
    running = http.server.HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    plan.url = f"http://127.0.0.1:{running.server_port}/file.zip"
    yield plan
    running.shutdown()
    thread.join()
    running.server_close()


class Told:
    """Keeps what a download says."""

    def __init__(self):
        self.lines, self.phases, self.done = [], [], 0

    def say(self, line):
        self.lines.append(line)

    def start(self, phase, total, *, unit, done=0):
        self.phases.append((phase, total, unit))
        self.done = done

    def advance(self, count):
        self.done += count


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_downloaded_once_and_its_size_is_said_before(server, tmp_path):
    told = Told()
    file = download(server.archive(), tmp_path / "new", progress=told)
    assert file.read_bytes() == BODY
    assert told.lines == [f"Downloading file.zip (0.3 MB) from {server.url}."]
    assert told.phases == [("downloading", len(BODY), "bytes")]
    assert told.done == len(BODY)
    assert names(file.parent) == ["file.zip"]
    assert download(server.archive(), file.parent) == file
    assert len(server.asked) == 1


def test_a_broken_transfer_goes_on_where_it_stopped(server, tmp_path):
    server.breaks = [100_000, 50_000]
    told = Told()
    file = download(server.archive(), tmp_path, pauses=FAST, progress=told)
    assert file.read_bytes() == BODY
    assert [request.get("Range") for request in server.asked] == [
        None,
        "bytes=100000-",
        "bytes=150000-",
    ]
    assert told.done == len(BODY)
    assert "continuing after 0.1 MB" in told.lines[2]
    assert names(tmp_path) == ["file.zip"]


def test_the_next_call_goes_on_too(server, tmp_path):
    server.breaks = [100_000]
    with pytest.raises(OSError, match=r"ended after 100000 of 256000 bytes"):
        download(server.archive(), tmp_path, pauses=())
    assert not (tmp_path / "file.zip").exists()
    assert download(server.archive(), tmp_path, pauses=()).read_bytes() == BODY
    assert server.asked[-1]["Range"] == "bytes=100000-"


@pytest.mark.parametrize(
    "change", [{"ranges": False}, {"tag": '"two"', "body": BODY[::-1]}, {"body": BODY[:50]}]
)
def test_a_beginning_that_cannot_be_continued_is_dropped(server, tmp_path, change):
    server.breaks = [100_000]
    with pytest.raises(OSError, match="ended after"):
        download(server.archive(), tmp_path, pauses=())
    vars(server).update(change)
    assert download(server.archive(), tmp_path, pauses=FAST).read_bytes() == server.body


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_a_server_that_does_not_identify_the_file_sends_all_of_it(server, tmp_path, tag):
    server.tag, server.breaks = tag, [100_000]
    assert download(server.archive(), tmp_path, pauses=FAST).read_bytes() == BODY
    assert "Range" not in server.asked[1]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_fault_that_may_pass_is_tried_again(server, tmp_path, status):
    server.errors = [status, status]
    told = Told()
    assert download(server.archive(), tmp_path, pauses=FAST, progress=told).read_bytes() == BODY
    assert f"HTTP Error {status}: " in told.lines[0]
    assert "Trying again" in told.lines[0]


def test_a_fault_that_does_not_pass_is_not(server, tmp_path):
    server.errors = [404]
    with pytest.raises(OSError, match="404"):
        download(server.archive(), tmp_path, pauses=FAST)
    assert len(server.asked) == 1
    server.errors = list(itertools.repeat(503, 10))
    with pytest.raises(OSError, match="503"):
        download(server.archive(), tmp_path, pauses=FAST)
    assert len(server.asked) == 1 + 3


def test_no_server_is_found_out_at_once(tmp_path):
    began = time.monotonic()
    with pytest.raises(OSError, match="refused"):
        download(Archive("http://127.0.0.1:9/file.zip", "file.zip"), tmp_path)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_wrong_checksum_is_named_and_the_file_not_kept(server, tmp_path, algorithm):
    right = hashlib.new(algorithm, BODY).hexdigest()
    server.body = BODY[:-1] + b"x"
    found = hashlib.new(algorithm, server.body).hexdigest()
    with pytest.raises(DataError, match=rf"file.zip from http.*{found} where {right}.*manual_dir"):
        download(server.archive(**{algorithm: right}), tmp_path)
    assert names(tmp_path) == []
    server.body = BODY
    assert download(server.archive(**{algorithm: right.upper()}), tmp_path).exists()


def test_a_file_larger_than_the_disk_is_not_begun(server, tmp_path, monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.disk.free_bytes", lambda _: 1000)
    with pytest.raises(DiskFullError, match=r"file.zip needs about 0.3 MB, but .* has 0.0 MB"):
        download(server.archive(), tmp_path, pauses=FAST)
    assert len(server.asked) == 1


def test_two_processes_do_not_write_one_file(server, tmp_path):
    with (
        module.exclusive(tmp_path / ".file.zip.lock", "held"),
        pytest.raises(RuntimeError, match=r"file.zip is being downloaded by process \d"),
    ):
        download(server.archive(), tmp_path)
    assert server.asked == []
