import bz2
import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from persuasion import archives
from persuasion.archives import container, members
from persuasion.errors import DataFailure, IntegrityFailure
from tests.forms import LIMITS, write_tar, write_tree, write_zip

FILES = {"top.txt": b"top", "a/one.txt": b"1" * 3000, "a/two.txt": b"", ".hidden": b"x", "__MACOSX/a": b"x"}
VISIBLE = {"a/one.txt": b"1" * 3000, "a/two.txt": b"", "top.txt": b"top"}


def held(path, kind):
    return {str(member.path): member.stream.read() for member in members(path, "it", kind, LIMITS)}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_a_tar_streams_its_visible_files(mode, tmp_path):
    assert held(write_tar(tmp_path / "it", FILES, mode=mode), "tar") == VISIBLE


def test_a_zip_and_a_folder_hold_the_same(tmp_path):
    assert held(write_zip(tmp_path / "zip", FILES), "zip") == VISIBLE
    deep = {**FILES, "a/b/c/deep.txt": b"too deep"}
    assert held(write_tree(tmp_path / "folder", deep), "folder") == VISIBLE


def test_names_say_where_a_member_is(tmp_path):
    tar = write_tar(tmp_path / "it", {"./a/one\x1b.txt": b"1"})
    assert [member.name for member in members(tar, "it", "tar", LIMITS)] == ["it:'a/one\\x1b.txt'"]
    folder = write_tree(tmp_path / "folder", {"a/one.txt": b"1"})
    assert [member.name for member in members(folder, "", "folder", LIMITS)] == ["a/one.txt"]
    assert [member.name for member in members(tar, "it", "file", LIMITS)] == ["it"]


def test_containers_are_told_by_content(tmp_path):
    tar, zipped = write_tar(tmp_path / "a", FILES, mode="w"), write_zip(tmp_path / "b", FILES)
    assert container(zipped.read_bytes()[:16], zipped.read_bytes()) == "zip"
    assert container(tar.read_bytes()[:16], tar.read_bytes()) == "tar"
    assert container(b"{}", b"{}") == "file"


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/abs", "a\\..\\out", "C:\\out", "\\out"])
@pytest.mark.parametrize(("write", "kind"), [(write_tar, "tar"), (write_zip, "zip")])
def test_a_path_that_leads_outside_is_refused(write, kind, name, tmp_path):
    path = write(tmp_path / "it", {"first.txt": b"1", name: b"2"})
    with pytest.raises(IntegrityFailure, match="nothing was written"):
        held(path, kind)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_zip_is_checked_before_its_first_file(tmp_path):
    path = write_zip(tmp_path / "it", {"first.txt": b"1", "../out": b"2"})
    with pytest.raises(IntegrityFailure):
        next(members(path, "it", "zip", LIMITS))


@pytest.mark.parametrize(
    "type_", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(type_, tmp_path):
    with tarfile.open(tmp_path / "it", "w") as archive:
        info = tarfile.TarInfo("a")
        info.type, info.linkname = type_, "/etc/hostname"
        archive.addfile(info)
    with pytest.raises(IntegrityFailure, match="not safe"):
        held(tmp_path / "it", "tar")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(mode, tmp_path):
    info = zipfile.ZipInfo("a")
    info.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "it", "w") as archive:
        archive.writestr(info, "/etc/hostname")
    with pytest.raises(IntegrityFailure, match="not safe"):
        held(tmp_path / "it", "zip")


def test_an_encrypted_zip_is_refused(tmp_path):
    content = bytearray(write_zip(tmp_path / "it", {"a": b"1"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(IntegrityFailure) as failure:
        held(tmp_path / "it", "zip")
    assert "encrypted" in failure.value.why


def test_a_zip_bomb_is_refused_by_what_it_announces(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "BOMB_BYTES", 1 << 20)
    path = write_zip(tmp_path / "it", {"a": bytes(5 << 20)})
    with pytest.raises(DataFailure, match="without end"):
        held(path, "zip")


def test_too_many_members_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    for write, kind in ((write_tar, "tar"), (write_zip, "zip")):
        with pytest.raises(DataFailure, match="more than 2"):
            held(write(tmp_path / kind, FILES), kind)


def cuts(content):
    """A tar archive cut inside a header, inside a file, and after a file but before the end's mark."""
    return [content[:100], content[:700], content[:1024], content[:1024] + b"x" * 512]


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_a_cut_or_broken_tar_is_no_shorter_one(pack, at, tmp_path):
    whole = write_tar(tmp_path / "it", {"a": b"1" * 512, "b": b"2"}, mode="w").read_bytes()
    (tmp_path / "it").write_bytes(pack(cuts(whole)[at]))
    with pytest.raises(DataFailure):
        held(tmp_path / "it", "tar")


def test_a_compressed_tar_that_lost_its_last_bytes_is_noticed(tmp_path):
    content = write_tar(tmp_path / "it", FILES).read_bytes()
    (tmp_path / "it").write_bytes(content[:-4])
    with pytest.raises(DataFailure, match="truncated"):
        held(tmp_path / "it", "tar")


@pytest.mark.parametrize("at", [1, 40, 60, -30])
def test_a_corrupt_zip_is_a_named_failure(at, tmp_path):
    content = bytearray(write_zip(tmp_path / "it", {"a.txt": b"some words to pack " * 9}).read_bytes())
    content[at] ^= 0xFF
    content[at + 1] ^= 0xFF
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(DataFailure, match="it"):
        held(tmp_path / "it", "zip")


def test_a_name_may_not_take_all_memory(tmp_path):
    info = tarfile.TarInfo("a")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    (tmp_path / "it").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(DataFailure, match="cannot be read") as failure:
        held(tmp_path / "it", "tar")
    assert "name or attributes take" in failure.value.why


def test_reading_in_small_bites_gives_the_same(tmp_path):
    path = write_tar(tmp_path / "it", FILES)
    found = io.BytesIO()
    for member in members(path, "it", "tar", LIMITS):
        while bite := member.stream.read(7):
            found.write(bite)
    assert found.getvalue() == b"".join(FILES[name] for name in FILES if name in VISIBLE)
