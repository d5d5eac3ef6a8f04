import functools
import http.server
import threading
import zipfile

import pytest

from seg_jax.data.archive import download, unpack
from seg_jax.data.validate import DataError


def write_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def serve(tmp_path):
    """Returns a function (text) -> the URL of a server that lies about nothing but its end."""
    servers = []

    def start(body: bytes, claimed: int):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(claimed))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Handler))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/file.zip"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_archive_is_unpacked_once(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"top/one.txt": "1", "top/sub/two.txt": "2"})
    folder = unpack(archive, tmp_path / "out" / "a")
    assert (folder / "top" / "sub" / "two.txt").read_text() == "2"
    archive.unlink()
    assert unpack(archive, folder) == folder


@pytest.mark.parametrize("name", ["../escaped.txt", "top/../../escaped.txt", "/escaped.txt"])
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path, name):
    archive = write_zip(tmp_path / "a.zip", {"top/one.txt": "1", name: "x"})
    with pytest.raises(DataError, match="written outside"):
        unpack(archive, tmp_path / "out" / "a")
    assert list((tmp_path / "out").iterdir()) == []
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_damaged_archive_leaves_nothing_behind(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"one.txt": "1" * 1000})
    data = bytearray(archive.read_bytes())
    data[200] ^= 255
    archive.write_bytes(data)
    with pytest.raises(DataError, match="is damaged"):
        unpack(archive, tmp_path / "out" / "a")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_download_is_whole_or_absent(tmp_path, serve):
    file = tmp_path / "new" / "file.zip"
    with pytest.raises(OSError, match=r"IncompleteRead|after 5 of 9 bytes"):
        download(serve(b"12345", claimed=9), file)
    assert not file.exists()
    assert download(serve(b"123456789", claimed=9), file).read_bytes() == b"123456789"
    assert download("http://127.0.0.1:9/never-asked", file) == file
