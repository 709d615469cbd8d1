import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from persuasion.duplicates import losers
from persuasion.gathering import PartFile, store
from persuasion.parts import Reader, read_outcomes
from persuasion.reddit import Place
from tests.builders import AT, parsed, raw_comment

READER = Reader(subreddit="changemyview", mask=False)
COPIES = st.tuples(
    st.sampled_from(["a", "b", "Odd_1"]),
    st.integers(0, 2).map(lambda later: {"retrieved_on": AT + later}),
    st.integers(0, 2).map(lambda later: {"edited": AT + later}),
    st.sampled_from("xy").map(lambda body: {"body": body}),
    st.sampled_from(["t3_one", "t3_two"]).map(lambda thread: {"link_id": thread, "parent_id": thread}),
)


def copy(id_, *changes):
    fields = {"id": id_}
    for change in changes:
        fields |= change
    return parsed(raw_comment(**fields))


def stored(parts, folder):
    """Parts on disk, each of some comments."""
    found = []
    for number, comments in enumerate(parts):
        places = [Place(file="it", line=line, offset=0, length=0) for line in range(1, len(comments) + 1)]
        table = store(read_outcomes(list(zip(places, comments, strict=True)), READER).comments, folder / str(number))
        if table is not None:
            low, high, dropped = int(table.sample[0]), int(table.sample[-1]), np.zeros(0, np.int64)
            found.append(PartFile(path=table.path, low=low, high=high, file="it", line=0, offset=0, dropped=dropped))
    return found


def kept(parts, folder):
    """What is left of comments in parts, by id."""
    files = stored(parts, folder)
    lost = losers(files)
    left = {}
    held = [comments for comments in parts if comments]
    for number, comments in enumerate(held):
        for row, raw in enumerate(comments):
            if row not in set(lost.get(number, np.zeros(0)).tolist()):
                assert raw.id not in left
                left[raw.id] = raw
    assert sum(map(len, lost.values())) == sum(map(len, held)) - len(left)
    return left


@given(st.lists(st.lists(COPIES, max_size=4), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_latest_copy_stays_whatever_the_order(tmp_path_factory, drawn, chance):
    parts = [[copy(*changes) for changes in part] for part in drawn]
    every = [raw for part in parts for raw in part]
    left = kept(parts, tmp_path_factory.mktemp("a"))
    assert left.keys() == {raw.id for raw in every}
    for raw in left.values():
        assert raw.version == max(one.version for one in every if one.id == raw.id)
    chance.shuffle(every)
    assert kept([every[::2], every[1::2]], tmp_path_factory.mktemp("b")) == left


def test_without_copies_nothing_is_lost(tmp_path):
    assert losers([]) == {}
    assert losers(stored([[copy("a"), copy("b")], [copy("c")]], tmp_path)) == {}


def test_an_id_of_another_kind_is_no_copy(tmp_path):
    comments = [copy("a"), copy("b", {"parent_id": "t1_a"})]
    assert losers(stored([comments, [copy("post")]], tmp_path)) == {}
