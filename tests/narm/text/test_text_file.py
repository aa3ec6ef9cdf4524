"""Reading text: the mark that Windows editors write, and files that are not there or not text."""

import pytest

from narm.errors import InputError
from narm.text.text_file import located, read_text


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfn\xc3\xa9")
    assert read_text(tmp_path / "a") == "né"


def test_a_missing_file_a_folder_and_bytes_are_mistakes(tmp_path):
    (tmp_path / "bytes").write_bytes(b"ab\xff")
    for name, message in {
        "missing": r"^cannot read .*missing: No such file or directory$",
        ".": r"^cannot read .*: Is a directory$",
        "bytes": r"^.*bytes: not a text file in UTF-8 \(byte 2\)$",
    }.items():
        with pytest.raises(InputError, match=message):
            read_text(tmp_path / name)


def test_only_input_errors_are_located():
    with pytest.raises(InputError, match=r"^f:7: wrong$"), located("f", 7):
        raise InputError("wrong")
    with pytest.raises(KeyError, match=r"^'wrong'$"), located("f", 7):
        raise KeyError("wrong")
