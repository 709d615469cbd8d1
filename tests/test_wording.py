import random

import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from persuasion import wording
from persuasion.undefined import settled


def test_self_bleu_is_that_of_nltk():
    chance = random.Random(3)
    texts = [" ".join(chance.choices("abcdef", k=chance.randint(1, 14))) for _ in range(25)] + ["zz yy", ""]
    said = [text.split() for text in texts if text]
    smooth = SmoothingFunction().method1
    found = [sentence_bleu(said[:n] + said[n + 1 :], one, smoothing_function=smooth) for n, one in enumerate(said)]
    assert wording.self_bleu(texts) == pytest.approx(sum(found) / len(found))


def test_self_bleu_of_the_same_and_of_nothing():
    assert wording.self_bleu(["the cat sat on a mat"] * 3) == pytest.approx(1)
    assert wording.self_bleu(["a b c d", "e f g h"]) == 0
    assert wording.self_bleu(["a b c d", ""]) is None and wording.self_bleu([]) is None


def test_repetition_worked_by_hand():
    assert wording.repetition("a b c d a b c d", 4) == pytest.approx(1 / 5)  # abcd bcda cdab dabc abcd
    assert wording.repetition("a b c", 4) is None


def test_readability_worked_by_hand():
    # 9 words, 2 sentences; syllables: the 1 cat 1 sat 1 | we 1 use 1 a 1 ta-ble 2 e-ve-ry 3 day 1
    words, sentences, beats = 9, 2, 12
    found = wording.readability(["The cat sat. We use a table every day!"])
    long, heavy = words / sentences, beats / words
    assert found["words_per_sentence"] == long and found["syllables_per_word"] == pytest.approx(heavy)
    assert found["flesch"] == pytest.approx(206.835 - 1.015 * long - 84.6 * heavy)
    assert found["grade"] == pytest.approx(0.39 * long + 11.8 * heavy - 15.59)
    assert set(wording.readability(["...", ""]).values()) == {None}


@pytest.mark.parametrize(
    ("word", "count"), [("tree", 1), ("make", 1), ("table", 2), ("persuasion", 3), ("rhythm", 1), ("beautiful", 3)]
)
def test_syllables(word, count):
    assert wording.syllables(word) == count


def test_style_counts_marks_a_reply():
    text = "I think you may be right? See https://a.b!\n\n- one\n- two\n\n> quoted"
    found = wording.style([text, ""])
    assert found["questions"] == 0.5 and found["links"] == 0.5 and found["list_items"] == 1
    assert found["quotes"] == 0.5 and found["paragraphs"] == 1.5 and found["second_person"] == 0.5
    assert found["hedges"] == 1 and found["words"] == 7
    assert set(wording.style([]).values()) == {None}


def test_figures_of_no_texts_are_undefined_and_never_nan():
    flat, reasons = settled(wording.figures([]))
    assert flat["self_bleu"] is None and flat["repetition_4"] is None and flat["distinct_2"] is None
    assert reasons["distinct_2"] == "no reply of 2 words" and reasons["style.links"] == "no replies"
    assert settled(wording.figures(["?"]))[1].keys() == {
        "distinct_2", "distinct_3", "self_bleu", "repetition_4",
        *(f"readability.{name}" for name in wording.readability([])),
    }  # fmt: skip
