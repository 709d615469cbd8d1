import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.errors import UsageFailure
from persuasion.removals import HEAD, extended, is_entry, read_removals
from tests.closures import ROOT

AUTHOR = "u_0123456789abcdef"


def test_ids_and_pseudonyms_are_read_and_the_rest_are_comments(tmp_path):
    path = tmp_path / "removals.txt"
    path.write_bytes(f"\ufeff# asked for\r\n\r\n  t1_abc  # by mail\r\nt3_xyz\r\n{AUTHOR}\r\nt1_abc\r\n#t1_no".encode())
    found = read_removals(path)
    assert found.ids == {"t1_abc", "t3_xyz"} and found.authors == {AUTHOR}


@pytest.mark.parametrize(
    "line", ["abc", "someone", "u/someone", "t2_abc", "t1_", "T1_abc", "t1_abc t1_abd", "t1_abc,", AUTHOR.upper(),
             AUTHOR[:-1], AUTHOR + "0", "u_someone", "https://redd.it/abc", "t1_" + "a" * 21]
)  # fmt: skip
def test_anything_else_is_refused_with_its_line_and_never_repeated(tmp_path, line):
    path = tmp_path / "removals.txt"
    path.write_text(f"# one\nt1_fine\n{line}\n")
    with pytest.raises(UsageFailure, match="line 3") as refused:
        read_removals(path)
    assert "persuasion forget" in str(refused.value) and line not in refused.value.what + refused.value.where


def test_a_missing_folder_or_binary_file_is_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"t1_abc\n\xff\xfe")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "binary", tmp_path / "binary/below"):
        with pytest.raises(UsageFailure) as refused:
            read_removals(path)
        assert refused.value.fix


def test_the_projects_own_file_asks_for_nothing_yet():
    path = ROOT / "data/removals.txt"
    assert path.read_text(encoding="utf-8").startswith(HEAD)
    assert not read_removals(path).ids | read_removals(path).authors


@given(
    old=st.lists(st.sampled_from(["# kept", "", "t1_old", AUTHOR])),
    new=st.lists(st.from_regex(r"t[13]_[a-z0-9]{1,9}", fullmatch=True), unique=True),
    end=st.sampled_from(["", "\n"]),
)
def test_adding_keeps_every_line_and_adds_every_entry(tmp_path_factory, old, new, end):
    text = "\n".join(old) + end
    longer = extended(text, new)
    assert longer.startswith(text) and all(map(is_entry, new))
    path = tmp_path_factory.mktemp("removals") / "removals.txt"
    path.write_text(longer)
    assert read_removals(path).ids == set(new) | ({"t1_old"} & set(old))
