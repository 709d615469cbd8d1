"""Any bytes and any parameters end as rows or as a named failure; `pytest --fuzz N` tries N of them each."""

import bz2
import copy
import gzip
import json
import time

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persuasion.config import Params, load_params
from persuasion.errors import DataFailure, Failure, IntegrityFailure, UsageFailure
from persuasion.forms import inputs
from persuasion.readers import read
from persuasion.yaml12 import load_yaml
from tests import fuzz
from tests.builders import awarded_thread, ndjson
from tests.closures import ROOT
from tests.forms import PAIR_ROWS, convokit_files, form_source, shp_row, tan_files, tree, write_tar, write_zip

TREE = load_yaml(ROOT / "params.yaml")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def leaves(tree, path=()):
    """The path to every value of a tree, sections too."""
    for key, value in tree.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))


@pytest.fixture(scope="module")
def params_file(tmp_path_factory):
    return tmp_path_factory.mktemp("params") / "params.yaml"


@given(st.sampled_from(list(leaves(TREE))), ANYTHING)
def test_any_value_of_any_parameter_is_taken_or_named(params_file, path, value):
    changed = copy.deepcopy(TREE)
    *sections, last = path
    place = changed
    for section in sections:
        place = place[section]
    place[last] = value
    params_file.write_text(json.dumps(changed), encoding="utf-8")
    try:
        assert isinstance(load_params(params_file), Params)
    except UsageFailure as failure:
        said = ("not valid YAML", "holds", *path[:1])
        assert any(words in str(failure) for words in said)


PIECES = [
    "a",
    ":",
    " ",
    "\n",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "!!python/object:os.system",
    "<<",
    "? ",
    "|",
    ">",
    '"',
    "'",
    "\t",
    "#",
    "%YAML 1.1",
    "---",
    "...",
    "0x",
    "1e9",
    "1_0",
    "0o8",
    "0b2",
    ".nan",
    "~",
    "\\",
    "\u2028",
    "\x00",
    "2001-01-01",
]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_yaml_or_named(params_file, text):
    params_file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_yaml(params_file)
    except UsageFailure:
        return


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """A small file of every form and packing."""
    folder, dump = tmp_path_factory.mktemp("seeds"), ndjson(awarded_thread())
    corpus = {f"corpus/{name}": content for name, content in convokit_files().items()}
    return [
        dump,
        gzip.compress(dump, mtime=0),
        bz2.compress(dump),
        zstandard.ZstdCompressor().compress(dump),
        json.dumps({"data": tree()}).encode(),
        json.dumps(PAIR_ROWS).encode(),
        ndjson(PAIR_ROWS),
        b'prompt,chosen,rejected\nNaps?,"a\nb",c\n',
        ndjson([shp_row()]),
        write_tar(folder / "a.tar.bz2", tan_files()).read_bytes(),
        write_zip(folder / "a.zip", corpus).read_bytes(),
    ]


CUTS = st.tuples(
    st.integers(0, 10**6),
    st.integers(0, 40),
    st.binary(max_size=8) | st.sampled_from([b"null", b"[[", b"\\ud800", b'"', b"\n"]),
)


@given(st.integers(0, 10), st.lists(CUTS, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_a_changed_file_of_any_form_is_read_or_named(seeds, params_file, number, cuts):
    content = seeds[number]
    for at, length, other in cuts:
        at %= len(content) + 1
        content = content[:at] + other + content[at + length :]
    path = params_file.with_name("file")
    path.write_bytes(content)
    try:
        source = form_source(path)
        for place, _ in read(inputs(source), source):
            assert place.offset >= 0 and place.length >= 0
    except Failure as failure:
        assert isinstance(failure, DataFailure | IntegrityFailure)


def test_a_property_that_fails_is_told_with_what_it_failed_on_and_the_others_go_on(capsys):
    @given(st.integers())
    def small(number):
        assert number < 100

    @given(st.integers())
    def whole(number):
        assert isinstance(number, int)

    found = [fuzz.Property(test.__name__, test.hypothesis.fuzz_one_input) for test in (small, whole)]
    fuzz.fuzz(found, 1, time.monotonic() + 1)
    assert [one.failed for one in found] == [True, False] and found[1].executions
    told = capsys.readouterr().out
    assert told.startswith("small: AssertionError")
    with pytest.raises(AssertionError):
        found[0].run(bytes.fromhex(told.split("fromhex('")[1].split("'")[0]))


def test_the_fuzzer_knows_the_properties_of_readers_cleaning_and_deltas():
    names = {one.name.partition(":")[0] for one in fuzz.properties()}
    assert names == set(fuzz.MODULES)
