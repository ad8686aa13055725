"""Texts, their pieces, and times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikemem.errors import TimeError
from spikemem.memory.texts import ATOM, PIECE, moment, parse_time, pieces, seconds


@pytest.mark.parametrize(("words", "expected"), [(1, 0), (128, 0), (129, 2), (256, 2), (257, 3), (100_000, 782)])
def test_a_piece_for_each_128_words(words: int, expected: int) -> None:
    text = " ".join(f"word{i}" for i in range(words))
    parts = pieces(text)
    assert len(parts) == expected
    if parts:
        assert " ".join(parts) == text
        sizes = [len(part.split()) for part in parts]
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= PIECE


def test_scripts_without_spaces_are_cut_by_characters() -> None:
    text = "".join(chr(0x4E00 + i) for i in range(700))
    assert pieces(text[:256]) == []
    parts = pieces(text)
    assert "".join(parts) == text
    assert [len(part) for part in parts] == [234, 233, 233]
    sentence = "私は猫が好きです。" * 100
    assert "".join(pieces(sentence)) == sentence
    assert not any(part.startswith("。") for part in pieces(sentence))


def test_letters_keep_their_marks() -> None:
    assert not any(part[0] == "\u0e35" for part in pieces("ที่" * 1000))


def test_a_word_that_is_none_is_cut() -> None:
    parts = pieces("x" * 100_000)
    assert "".join(parts) == "x" * 100_000
    assert max(map(len, parts)) <= PIECE * 32


@pytest.mark.slow
@given(st.text(st.sampled_from("a .\n猫ี🧠\u200d。x"), min_size=200, max_size=2000))
def test_nothing_is_lost(text: str) -> None:
    parts = pieces(text)
    if parts:
        assert "".join("".join(parts).split()) == "".join(text.split())
        assert all(part.strip() for part in parts)


def test_atoms_take_all_but_spaces() -> None:
    assert ATOM.sub("", "uumw.sjk rr  u.w") == "   "


PARIS = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (datetime(1970, 1, 1), 0.0),
        (datetime(1970, 1, 1, 2, tzinfo=PARIS), 0.0),
        (datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC), -0.5),
        (datetime(1, 1, 1), -62135596800.0),
        (datetime(9999, 12, 31), 253402214400.0),
    ],
)
def test_times_are_seconds(when: datetime, expected: float) -> None:
    assert seconds(when) == expected
    given = when if when.tzinfo else when.replace(tzinfo=UTC)
    assert moment(expected) == given
    assert moment(expected).tzinfo is UTC


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_times_come_back_to_the_microsecond(when: datetime) -> None:
    given = seconds(when)
    assert given is not None
    assert moment(given) == when.replace(tzinfo=UTC)


class NoTime(datetime):
    """As pandas has one: a datetime without a time."""

    def __sub__(self, other: object) -> "NoTime":  # type: ignore[override]
        return self

    def total_seconds(self) -> float:
        return float("nan")


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"), 0, "2023-05-08", b"", datetime(1970, 1, 1).date(), NoTime(2000, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=PARIS), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))), datetime.max,
    ],
)  # fmt: skip
def test_what_is_no_time(bad: datetime) -> None:
    with pytest.raises(TimeError):
        seconds(bad)


def test_no_time_is_none() -> None:
    assert seconds(None) is None


def test_iso_dates() -> None:
    assert parse_time(" 2023-05-08 ") == datetime(2023, 5, 8)
    assert parse_time("2023-05-08T13:56Z") == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    for bad in ("", "yesterday", "2023-13-01", "8 May 2023", "NaN", "0001-01-01T00:00+05:00"):
        with pytest.raises(TimeError, match=r"date|1 to 9999"):
            parse_time(bad)
