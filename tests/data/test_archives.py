"""Archives as people and programs make them, and as somebody might who means harm."""

from __future__ import annotations

import io
import tarfile
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daclass.data import archives
from daclass.data.archives import extract, opened
from daclass.errors import InputError


def header(name="x", kind=tarfile.REGTYPE, size=0):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return bytearray(info.tobuf(tarfile.GNU_FORMAT))


def summed(block):
    """A header whose checksum is right again."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def whole(content):
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def extended(content, kind=tarfile.XHDTYPE):
    """An extended header of any content, right or wrong."""
    return bytes(header("@", kind, len(content))) + whole(content)


def record(key, value):
    """One entry of a PAX header: its own length comes first."""
    size = next(n for n in range(9999) if len(b"%d %s=%s\n" % (n, key, value)) == n)
    return b"%d %s=%s\n" % (size, key, value)


def pax(key, value):
    return extended(record(key, value))


def plain(name="a/0.jpg", content=b"content"):
    return bytes(header(name, size=len(content))) + whole(content)


END = bytes(2 * tarfile.BLOCKSIZE)


def taken(folder, content, mode="r"):
    """What is extracted, by name in the order of the archive."""
    archive = folder / "some.tar"
    archive.write_bytes(content)
    with opened(archive, mode) as tar:
        files = list(extract(tar, folder / "out", archive))
    return {str(file.relative_to(folder / "out")): file.read_bytes() for file in files}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_every_usual_form_is_read(tmp_path, form, mode):
    long = "n" * 90 + "/" + "m" * (90 if form == tarfile.USTAR_FORMAT else 200)
    pictures = {long: b"long", "grün/ünï.jpg": b"letters", "b/1.jpg": bytes(700)}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=form) as tar:
        for name, content in pictures.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1.5e9 + 0.25
            tar.addfile(info, io.BytesIO(content))
    assert taken(tmp_path, file.getvalue()) == pictures


def test_an_archive_without_an_end_is_read(tmp_path):
    assert taken(tmp_path, plain("a") + plain("b")) == {"a": b"content", "b": b"content"}


@pytest.mark.parametrize("content", [bytes(10240), bytes(header("a/", tarfile.DIRTYPE)) * 3])
def test_an_archive_of_no_files_is_refused(tmp_path, content):
    with pytest.raises(InputError, match="holds no files"):
        taken(tmp_path, content)


def test_real_pictures_are_read(real_data):
    with opened(real_data / "imagenet_val" / "ilsvrc_val_1300_227px.tar") as tar:
        assert sum(member.name.endswith(".JPEG") for member in tar) == 1300


def negative():
    block = header(size=0)
    block[124:136] = b"\xff" * 11 + b"\x00"  # -256, as GNU writes numbers that need more room
    return summed(block)


def old_sparse():
    block = header(kind=tarfile.GNUTYPE_SPARSE)
    block[482] = 1  # more of the map follows; it is cut off
    return summed(block)


def sparse_1_0(first):
    keys = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0")
    return extended(keys) + plain(content=first)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (extended(b"1" * 200_000) + plain(), "extended headers are too large"),
        (extended(b"x" * 10**6, tarfile.GNUTYPE_LONGNAME) + plain(), "are too large"),
        (extended(record(b"comment", b"x")) * 2000 + plain(), "recursion"),
        (pax(b"path", b"a\0b") + plain(), "null byte"),
        (pax(b"GNU.sparse.map", b"1,x") + plain(), "sparse"),
        (pax(b"GNU.sparse.size", b"x") + plain(), "sparse"),
        (sparse_1_0(b"no number\n"), "sparse"),
        (sparse_1_0(b"999999999\n" + b"0\n" * 999), "sparse"),
        (old_sparse(), "sparse"),
        (pax(b"size", b"-2048") + plain(), "negative"),
        (plain() + negative() + plain(), "negative"),
        (plain("a") + plain("b").replace(b"b\0", b"c\0", 1) + plain("d"), "bad checksum"),
        (plain("a") + plain("b")[:100], "truncated header"),
        (extended(b"999999999999999999999999999999 path=x\n") + plain(), "too large"),
        (extended(b"9" * 5000 + b" path=x\n") + plain(), "digits"),
        (b"no archive" * 99, "could not be opened|invalid header"),
        (b"", "could not be opened|empty"),
    ],
)
@pytest.mark.parametrize("mode", ["r", "r:", "r|"])
def test_what_is_wrong_is_said_in_a_line(tmp_path, content, message, mode):
    with pytest.raises(InputError, match=message) as error:
        taken(tmp_path, content, mode)
    assert str(error.value).startswith(f"{tmp_path / 'some.tar'}: cannot be extracted (")
    assert "\n" not in str(error.value)


def test_long_headers_are_refused_in_their_sum(tmp_path, monkeypatch):
    monkeypatch.setattr(archives._Header, "EFFORT", 10 * 2**20)
    content = pax(b"comment", b"x" * 1000) + plain()
    taken(tmp_path, content * 10)
    with pytest.raises(InputError, match="extended headers are too large"):
        taken(tmp_path, content * 11)


def test_a_long_header_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "some.tar"
    with tarfile.open(file, "w:xz", preset=0) as tar:
        tar.fileobj.write(extended(bytes(2**25)) + plain() + END)
    assert file.stat().st_size < 2**14
    tracemalloc.start()
    with pytest.raises(InputError, match="extended headers are too large"), opened(file):
        pass
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


SOUND = (
    pax(b"mtime", b"1.5") + plain("a/0.jpg") + extended(b"b/1.jpg\0", tarfile.GNUTYPE_LONGNAME)
    + plain() + pax(b"size", b"7") + plain("a/2.jpg") + END
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SOUND) - 1), st.binary(min_size=1, max_size=12)), max_size=3
    ),
    st.booleans(),
)
def test_whatever_is_damaged_is_an_input_error(tmp_path_factory, damages, mended):
    content = bytearray(SOUND)
    for place, damage in damages:
        content[place : place + len(damage)] = damage
        block = place - place % tarfile.BLOCKSIZE
        if mended and content[block + 257 : block + 262] == b"ustar":
            content[block : block + 512] = summed(content[block : block + 512])
    try:
        found = taken(tmp_path_factory.mktemp("some"), bytes(content))
    except InputError:
        return
    if not damages:
        assert set(found) == {"a/0.jpg", "b/1.jpg", "a/2.jpg"}
