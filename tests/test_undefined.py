from persuasion.undefined import NO_PAIRS, Undefined, settled, told


def test_every_null_has_its_reason_and_only_these():
    tree = {"a": 1.0, "b": NO_PAIRS, "c": {"d": told(None, Undefined("why")), "e": told(0.0, NO_PAIRS)}, "f": {}}
    plain, reasons = settled(tree)
    assert plain == {"a": 1.0, "b": None, "c": {"d": None, "e": 0.0}, "f": {}}
    assert reasons == {"b": "no pairs", "c.d": "why"}


def test_what_processors_round_differently_is_the_same_figure():
    one, other = -0.533893373227054, -0.5338933732270539  # one regression's slope on two machines
    assert settled({"a": {"slope": one, "n": 3}})[0] == settled({"a": {"slope": other, "n": 3}})[0]
    assert settled({"a": 0.1 + 0.2, "n": 2**60 + 1})[0] == {"a": 0.3, "n": 2**60 + 1}
