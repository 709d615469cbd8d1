import hmac
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion import pseudonyms
from persuasion.config import Source, load_params
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.pseudonyms import PUBLIC_KEY, fingerprint, key_file, key_for, pseudonym
from tests.closures import ROOT

KEY = b"a key of these tests alone"


@pytest.fixture
def source(tmp_path, monkeypatch) -> Source:
    """A source of real data in a project of its own; this user's settings lie beside it."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DVC_ROOT", raising=False)
    pseudonyms._warn.cache_clear()
    return replace(load_params(ROOT / "params.yaml").source, path="/data/dump", pseudonym_key_file=None)


def keyed(source: Source, path: Path | str, content: bytes | None = None) -> Source:
    if content is not None:
        Path(path).write_bytes(content)
        Path(path).chmod(0o600)
    return replace(source, pseudonym_key_file=str(path))


@given(st.text(), st.binary(min_size=1))
def test_a_pseudonym_is_hmac_of_the_name_in_any_case(name, key):
    found = pseudonym(name, key)
    if name in ("", "[deleted]"):
        assert found == ""
    else:
        expected = hmac.new(key, name.casefold().encode("utf-8", "surrogatepass"), "sha256").hexdigest()
        assert found == f"u_{expected[:16]}" == pseudonym(name.casefold(), key)


def test_another_key_gives_another_pseudonym_and_fingerprint():
    assert pseudonym("someone", KEY) != pseudonym("someone", KEY + b"!")
    assert fingerprint(KEY) != fingerprint(KEY + b"!") and len(fingerprint(KEY)) == 8
    assert fingerprint(KEY) == "c453d1ff"


def test_the_sample_alone_needs_no_secret(source, tmp_path):
    assert key_for(replace(source, path="data/raw/sample")) == PUBLIC_KEY
    assert key_for(replace(source, path=str(Path.cwd() / "data/raw/../raw/sample/"))) == PUBLIC_KEY
    for path in ("data/raw/samples", "data/raw", "../data/raw/sample", "0"):
        assert key_for(replace(source, path=path)) != PUBLIC_KEY


def test_a_link_from_the_samples_place_to_real_data_is_no_sample(source, tmp_path):
    (tmp_path / "real").mkdir()
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/sample").symlink_to(tmp_path / "real")
    assert key_for(replace(source, path="data/raw/sample")) != PUBLIC_KEY


def test_a_key_is_made_once_private_and_announced_in_one_line(source, tmp_path, capsys):
    first = key_for(source)
    path = tmp_path / "settings/persuasion/pseudonym.key"
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(path) in said and first.decode() not in said
    assert len(first) == 64 and path.read_bytes().strip() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert key_for(source) == first and not capsys.readouterr().err
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("settings", ["", "relative", "0"])
def test_without_absolute_settings_the_key_lies_in_the_home_folder(source, tmp_path, monkeypatch, settings):
    monkeypatch.setenv("XDG_CONFIG_HOME", settings)
    assert key_file(source) == tmp_path / "home/.config/persuasion/pseudonym.key"


def test_processes_that_come_at_once_agree(source):
    code = (
        "from dataclasses import replace; from pathlib import Path; from persuasion.config import load_params\n"
        "from persuasion.pseudonyms import key_for\n"
        f"print(key_for(replace(load_params(Path({str(ROOT / 'params.yaml')!r})).source, path='/data/dump')).decode())"
    )
    command, env = [sys.executable, "-c", code], {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    said = [process.communicate(timeout=60) for process in running]
    assert len({out for out, _ in said}) == 1 and len(said[0][0].strip()) == 64
    assert sum(b"made the secret key" in error for _, error in said) == 1


def test_a_configured_key_is_read_without_the_white_space_around_it(source, tmp_path):
    for content in (KEY, KEY + b"\n", b" " + KEY + b"\r\n"):
        assert key_for(keyed(source, tmp_path / "own.key", content)) == KEY
    assert key_for(replace(keyed(source, tmp_path / "own.key"), path="data/raw/sample")) == KEY


def test_a_tilde_is_the_home_folder(source, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/own.key").write_bytes(KEY)
    assert key_for(keyed(source, "~/own.key")) == KEY


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (b" \n", "0 bytes"), (b"fifteen bytes..", "15 bytes"), (PUBLIC_KEY + b"\n", "public")],
)
def test_an_empty_short_or_public_key_is_refused(source, tmp_path, content, words):
    with pytest.raises(UsageFailure, match="no usable key") as refused:
        key_for(keyed(source, tmp_path / "own.key", content))
    assert words in refused.value.why and "token_hex" in refused.value.fix


def test_a_missing_key_is_refused_and_never_made_where_it_was_configured(source, tmp_path):
    for path in (tmp_path / "absent.key", tmp_path, tmp_path / "no/folder.key"):
        with pytest.raises(UsageFailure, match="missing"):
            key_for(keyed(source, path))
    assert not (tmp_path / "absent.key").exists() and not (tmp_path / "no").exists()


def test_a_key_inside_the_project_is_refused(source, tmp_path, monkeypatch):
    (tmp_path / "link.key").symlink_to(Path.cwd() / "own.key")
    for path in ("own.key", tmp_path / "project/own.key", tmp_path / "link.key"):
        with pytest.raises(UsageFailure, match="inside the project"):
            key_for(keyed(source, path, KEY))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path.cwd()))
    with pytest.raises(UsageFailure, match="inside the project"):
        key_for(source)
    assert not Path("persuasion").exists()


def test_an_experiments_copy_of_the_project_knows_the_project_too(source, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "elsewhere"))
    with pytest.raises(UsageFailure, match="inside the project"):
        key_for(keyed(source, tmp_path / "elsewhere/own.key", KEY))


def test_a_key_that_all_may_read_is_one_warning(source, tmp_path, capsys):
    mine = keyed(source, tmp_path / "own.key", KEY)
    assert key_for(mine) == KEY and not capsys.readouterr().err
    (tmp_path / "own.key").chmod(0o644)
    assert key_for(mine) == key_for(mine) == KEY
    said = capsys.readouterr().err
    assert said.count("chmod 600") == 1 and KEY.decode() not in said


def test_where_no_key_can_be_made_the_way_out_is_named(source, tmp_path):
    (tmp_path / "settings").write_text("a file where a folder should be")
    with pytest.raises(SurroundingsFailure) as refused:
        key_for(source)
    assert "source.pseudonym_key_file" in refused.value.fix and refused.value.exit_code == 4
