from persuasion.undefined import NO_PAIRS, Undefined, settled, told


def test_every_null_has_its_reason_and_only_these():
    tree = {"a": 1.0, "b": NO_PAIRS, "c": {"d": told(None, Undefined("why")), "e": told(0.0, NO_PAIRS)}, "f": {}}
    plain, reasons = settled(tree)
    assert plain == {"a": 1.0, "b": None, "c": {"d": None, "e": 0.0}, "f": {}}
    assert reasons == {"b": "no pairs", "c.d": "why"}
