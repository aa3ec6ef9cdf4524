"""What a path leads to: a file, a link to one, or something that is written through."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from narm.errors import InputError
from narm.machine.destination import Destination
from narm.machine.files import require_writable, write_text


def test_links_are_followed_and_stay_links(tmp_path):
    target = tmp_path / "big" / "r.json"
    target.parent.mkdir()
    target.write_text("old")
    (tmp_path / "first").symlink_to("big/r.json")
    (tmp_path / "second").symlink_to(tmp_path / "first")
    write_text(require_writable(tmp_path / "second"), "new")
    assert target.read_text() == "new"
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()


def test_a_link_to_nothing_yet_gets_its_file(tmp_path):
    (tmp_path / "link").symlink_to("not/yet")
    write_text(require_writable(tmp_path / "link"), "new")
    assert (tmp_path / "not" / "yet").read_text() == "new"
    assert (tmp_path / "link").is_symlink()


def test_links_in_a_circle_are_an_error(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(InputError, match="a: cannot be written: Too many levels of symbolic links"):
        require_writable(tmp_path / "a")
    with pytest.raises(OSError, match="Too many levels"):
        write_text(tmp_path / "a", "new")


def test_a_device_stays_one(tmp_path):
    before = sorted(path.name for path in Path("/dev").iterdir())
    write_text(require_writable(Path("/dev/null")), "new")
    assert Path("/dev/null").is_char_device()
    (tmp_path / "link").symlink_to("/dev/null")
    write_text(require_writable(tmp_path / "link"), "new")
    assert Path("/dev/null").is_char_device()
    assert sorted(path.name for path in Path("/dev").iterdir()) == before


def test_a_device_that_is_full_is_named():
    with pytest.raises(OSError, match="No space left on device") as error:
        write_text(Path("/dev/full"), "new")
    assert error.value.filename == "/dev/full"


def test_a_pipe_is_written_to_when_the_content_is_whole(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    require_writable(pipe)  # does not wait for a reader
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "new")
    reader.join(10)
    assert got == ["new"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("spelling", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_an_open_file_gets_the_content_behind_what_it_has(tmp_path, spelling):
    if spelling == "link":
        spelling = str(tmp_path / "link")
    log = tmp_path / "log"
    log.write_text("before\n")
    with log.open("a") as file:
        path = Path(spelling.format(file.fileno()))
        if path.parent == tmp_path:
            path.symlink_to(f"/proc/self/fd/{file.fileno()}")
        write_text(require_writable(path), "new\n")
        file.write("after\n")
    assert log.read_text() == "before\nnew\nafter\n"


def test_a_socket_that_is_open_gets_the_content():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        write_text(Path(f"/dev/fd/{ours.fileno()}"), "new")
        assert theirs.recv(100) == b"new"


def test_what_was_printed_comes_first():
    code = "from pathlib import Path; from narm.machine.files import write_text; print('a'); "
    code += "write_text(Path('/dev/stdout'), 'b\\n'); print('c')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a\nb\nc\n"


def test_a_descriptor_that_is_not_open_is_refused():
    with pytest.raises(InputError, match="/dev/fd/987: cannot be written: Bad file descriptor"):
        require_writable(Path("/dev/fd/987"))
    with (
        Path(__file__).open() as file,
        pytest.raises(InputError, match=r"/dev/fd/\d+: cannot be written: open for reading only"),
    ):
        require_writable(Path(f"/dev/fd/{file.fileno()}"))


def test_names_that_are_numbers_are_files(tmp_path):
    assert Destination.of(tmp_path / "1").descriptor is None
