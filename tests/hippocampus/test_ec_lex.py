"""Word cells: what is a word in which script, and which cells it makes spike."""

import time
import unicodedata
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikemem.hippocampus.regions.ec_lex import _tokens, kinds, words

CELLS = 2**20


def cell(token: str, cells: int = CELLS) -> int:
    return zlib.crc32(token.encode()) % cells


def whole(text: str) -> set[int]:
    found = words(text, CELLS)
    return set(found.cells[found.whole].tolist())


def split(text: str) -> list[str]:
    return [word for word, _ in _tokens(text)]


def test_a_word_and_its_spelling() -> None:
    found = words("Cat", CELLS)
    assert found.cells.tolist() == sorted(map(cell, ("=cat", "_cat", "cat_")))
    assert found.spikes.tolist() == [1, 1, 1]
    assert found.cells[found.whole].tolist() == [cell("=cat")]
    assert (found.cells.dtype, found.spikes.dtype, found.whole.dtype) == (np.int64, np.int64, bool)


@pytest.mark.parametrize(("word", "spelling"), [("a", ["_a_"]), ("ab", ["_ab_"]), ("abcd", ["_abc", "abcd", "bcd_"])])
def test_short_words_are_spelt_whole(word: str, spelling: list[str]) -> None:
    assert words(word, CELLS).cells.tolist() == sorted(map(cell, [f"={word}", *spelling]))


def test_spikes_count_how_often() -> None:
    found = words("tick, tick; tock", CELLS)
    often = dict(zip(found.cells.tolist(), found.spikes.tolist(), strict=True))
    assert (often[cell("=tick")], often[cell("=tock")]) == (2, 1)
    assert (often[cell("_tic")], often[cell("_toc")]) == (2, 1)
    assert int(found.spikes.sum()) == 2 * 4 + 4


def test_colliding_cells_add_up_and_stay_whole() -> None:
    found = words("some words that share very few cells", 3)
    assert found.cells.tolist() == [0, 1, 2]
    assert int(found.spikes.sum()) == int(words("some words that share very few cells", CELLS).spikes.sum())
    assert found.whole.any()


@pytest.mark.parametrize("text", ["", " \n\t", "...!?", "-- ' \" ()", "\u0301", "^`´", "\u200d\u200b\ufeff", "\ud800"])
def test_no_words(text: str) -> None:
    found = words(text, CELLS)
    assert (found.cells.size, found.spikes.size, found.whole.size) == (0, 0, 0)
    assert (found.cells.dtype, found.spikes.dtype, found.whole.dtype) == (np.int64, np.int64, bool)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada's don’t well-known", ["ada", "s", "don", "t", "well", "known"]),
        ("in 1984, 3.50 a_b __init__ x2", ["in", "1984", "3", "50", "a_b", "__init__", "x2"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ﬁne ＡＢＣ １２ ²", ["fine", "abc", "12", "2"]),
        ("Cafe\u0301 CAFÉ", ["café", "café"]),
        ("Привет, МИР", ["привет", "мир"]),
        ("Σίσυφος ΣΊΣΥΦΟΣ", ["σίσυφοσ", "σίσυφοσ"]),
        ("שָׁלוֹם", [unicodedata.normalize("NFKC", "שָׁלוֹם")]),
        ("السلام عليكم", ["السلام", "عليكم"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("தமிழ்", ["தமிழ்"]),
        ("한국어 단어", ["한국어", "단어"]),
        ("ex\u00adtra می\u200cخواهم", ["extra", "میخواهم"]),
        ("left\u200bright", ["left", "right"]),
        ("q\u0307 word", ["q\u0307", "word"]),
    ],
)
def test_words_of_scripts_with_spaces(text: str, expected: list[str]) -> None:
    assert split(text) == expected
    assert whole(text) == {cell(f"={word}") for word in expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京都", ["東", "京", "都", "東京", "京都"]),
        ("猫", ["猫"]),
        ("猫。犬", ["猫", "犬"]),
        ("東京 2024年", ["東", "京", "東京", "2024", "年"]),
        ("ラーメンを食べ", [*"ラーメンを食べ", "ラー", "ーメ", "メン", "ンを", "を食", "食べ"]),
        ("ﾗｰﾒﾝ", [*"ラーメン", "ラー", "ーメ", "メン"]),
        ("人々二〇", [*"人々二〇", "人々", "々二", "二〇"]),
        ("ที่นี่มี", ["ที่", "นี่", "มี", "ที่นี่", "นี่มี"]),
        ("ລາວ", ["ລ", "າ", "ວ", "ລາ", "າວ"]),
        ("ខ្មែរ", ["ខ្", "មែ", "រ", "ខ្មែ", "មែរ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ", "မြန်", "န်မာ"]),
        ("我爱NLP吗", ["我", "爱", "我爱", "nlp", "吗"]),
        ("\U00020000\U00020001", ["\U00020000", "\U00020001", "\U00020000\U00020001"]),
    ],
)
def test_scripts_without_spaces_are_characters_and_pairs(text: str, expected: list[str]) -> None:
    assert split(text) == expected
    assert whole(text) == {cell(f"={word}") for word in expected}
    if "n" not in "".join(expected) and "2" not in "".join(expected):
        assert words(text, CELLS).whole.all()


def test_a_lone_character_is_heard_within_a_run() -> None:
    assert whole("猫") <= whole("他买了猫")
    assert whole("他买了") <= whole("他买了猫")
    assert not whole("猫") & whole("他买了狗")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("🧠🌊", ["🧠", "🌊"]),
        ("nice👍🏽!", ["nice", "👍🏽"]),
        ("👩‍🚀👨‍👩‍👧‍👦", ["👩‍🚀", "👨‍👩‍👧‍👦"]),
        ("👩🏾‍❤️‍👩", ["👩🏾‍❤‍👩"]),
        ("❤️❤", ["❤", "❤"]),
        ("🇵🇹🇯🇵🇩", ["🇵🇹", "🇯🇵", "🇩"]),
        ("🏴\U000e0067\U000e0062\U000e007f", ["🏴\U000e0067\U000e0062\U000e007f"]),
        ("20° ©", ["20", "°", "©"]),
        ("🏽", ["🏽"]),
    ],
)
def test_symbols_are_words_of_their_own(text: str, expected: list[str]) -> None:
    assert split(text) == expected
    assert whole(text) == {cell(f"={word}") for word in expected}


@pytest.mark.slow
def test_a_hundred_thousand_words() -> None:
    text = " ".join(f"word{i * 7919 % 60_000}" for i in range(100_000))
    start = time.process_time()
    found = words(text, 2**16)
    assert time.process_time() - start < 4
    assert found.spikes[found.whole].sum() >= 100_000


@pytest.mark.slow
@given(st.text(), st.integers(1, 2**16))
def test_any_text(text: str, cells: int) -> None:
    found = words(text, cells)
    assert np.all(np.diff(found.cells) > 0)
    assert np.all((found.cells >= 0) & (found.cells < cells))
    assert np.all(found.spikes > 0)
    assert len(kinds(text)) == len(text)
    again = words(unicodedata.normalize("NFD", text), cells)
    assert again.cells.tolist() == found.cells.tolist()
