"""Free recall: where in a list the items stood that were recalled, where recall began, how it went on, and how long it took.

A recall is a row of serial positions in the order of output, from 1 on; 0 where there is none, and -1 for what was not on the list (an
intrusion). The conventions are psifr's (Morton 2020): curves are means of subjects' curves, a repeat counts once, and transitions from or
to a repeat or an intrusion are left out.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import check, mean_and_error
from spikemem.errors import DataError

MOST_ITEMS = 10_000


class RecallCurve(NamedTuple):
    """A curve of free recall.

    x: serial positions, or lags, [x].   mean, sem: over subjects, [x].   subjects: the curve of each, [subject, x]; NaN where undefined.
    """

    x: NDArray[np.int64]
    mean: NDArray[np.float64]
    sem: NDArray[np.float64]
    subjects: NDArray[np.float64]


def serial_position(recalls: ArrayLike, length: int, subjects: ArrayLike | None = None) -> RecallCurve:
    """The share of lists on which the item at each serial position was recalled, [position].

        SPC(i) = lists on which item i was recalled / lists         Murdock 1962

    recalls: [list, output], see above.   length: of the lists.   subjects: whose each list is, [list]; one by default.

    >>> serial_position([[3, 1, 0], [3, 3, -1]], length=3).mean.tolist()
    [0.5, 0.0, 1.0]
    """
    given, who, length = _lists(recalls, length, subjects)
    recalled = (given[:, :, None] == np.arange(1, length + 1)).any(1).astype(float)
    return _curve(np.arange(1, length + 1), _by_subject(recalled, who))


def first_recall(recalls: ArrayLike, length: int, subjects: ArrayLike | None = None) -> RecallCurve:
    """The share of lists on which recall began with the item at each serial position, [position].

        PFR(i) = lists whose first recall is item i / lists         Hogan 1975; Howard & Kahana 1999

    Arguments as of `serial_position`.

    >>> first_recall([[3, 1, 0], [2, 3, 0]], length=3).mean.tolist()
    [0.0, 0.5, 0.5]
    """
    given, who, length = _lists(recalls, length, subjects)
    first = (given[:, :1] == np.arange(1, length + 1)).astype(float)
    return _curve(np.arange(1, length + 1), _by_subject(first, who))


def lag_crp(recalls: ArrayLike, length: int, subjects: ArrayLike | None = None) -> RecallCurve:
    """How likely recall goes on with an item at each distance, given that it can: the conditional response probability, [lag].

        CRP(l) = transitions of lag l / transitions that could have had lag l,   l = j - i from item i to item j         Kahana 1996

    Could have: item i + l was on the list and not yet recalled. Lags go from 1 - length to length - 1; 0 is NaN.
    Arguments as of `serial_position`.

    >>> crp = lag_crp([[1, 2, 3], [2, 1, 3]], length=3)
    >>> dict(zip(crp.x.tolist(), crp.mean.round(2).tolist()))
    {-2: nan, -1: 1.0, 0: nan, 1: 0.67, 2: 0.5}
    """
    given, who, length = _lists(recalls, length, subjects)
    lags = np.arange(1 - length, length)
    actual, possible = np.zeros((2, len(given), len(lags)))
    for row, recall in enumerate(given.tolist()):
        left = np.ones(length + 1, bool)
        left[0] = False
        for item, after in pairwise(recall):
            known = item > 0 and left[item]
            if item > 0:
                left[item] = False
            if known and after > 0 and left[after]:
                possible[row, np.flatnonzero(left) - item + length - 1] += 1
                actual[row, after - item + length - 1] += 1
    done, could = (_by_subject(part, who) for part in (actual, possible))  # shares of means are those of sums
    with np.errstate(invalid="ignore"):
        return _curve(lags, done / could)


class ResponseTimes(NamedTuple):
    """Inter-response times.

    mean, sem: over lists, by the number recalled and the output position, [number + 1, output]; NaN where there are none.
    lists: how many, [number + 1].   The row n is of lists with n recalls; its first entry is the time to the first recall.
    """

    mean: NDArray[np.float64]
    sem: NDArray[np.float64]
    lists: NDArray[np.int64]


def response_times(times: ArrayLike) -> ResponseTimes:
    """Inter-response times by output position, for each number of items recalled: [number + 1, output].

        IRT(k; n) = mean of t_k - t_(k-1) over lists with n recalls, t_0 = 0         Murdock & Okada 1970

    The last recalls take longest: where n items are each found after an exponential time tau, IRT(k; n) = tau / (n - k + 1) (Bousfield &
    Sedgewick 1944; Rohrer & Wixted 1994).
    times: of each recall since the cue, ascending, [list, output], in any unit; NaN where there is none.

    >>> response_times([[1.0, 3.0, np.nan], [2.0, 4.0, np.nan]]).mean[2].tolist()
    [1.5, 2.0, nan]
    """
    t = np.asarray(check.array(times, "times", "fiu", shape=(None, None), finite=False), np.float64)
    there = ~np.isnan(t)
    if not t.size or (there[:, 1:] & ~there[:, :-1]).any() or np.isinf(t).any() or (np.diff(t, axis=1, prepend=0.0) < 0).any():
        raise DataError("times: give the times of each list's recalls, from 0 on, ascending, and NaN after the last")
    gap, number = np.diff(t, axis=1, prepend=0.0), there.sum(1)
    shape = t.shape[1] + 1, t.shape[1]
    mean, sem = np.full(shape, np.nan), np.full(shape, np.nan)
    for n in range(1, shape[0]):
        if (number == n).any():
            mean[n, :n], sem[n, :n] = mean_and_error(gap[number == n, :n], axis=0)
    return ResponseTimes(mean, sem, np.bincount(number, minlength=shape[0]))


def _lists(recalls: ArrayLike, length: int, subjects: ArrayLike | None) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Recalls, the number of each list's subject, and the length of lists, checked."""
    length = check.integer(length, "length", least=2, most=MOST_ITEMS)
    given = check.indices(recalls, "recalls", length + 1, shape=(None, None), least=-1)
    if not given.size:
        raise DataError(f"recalls have shape {given.shape}; give one list at least, [list, output]")
    check.room(len(given) * length * max(given.shape[1], 2), "the lists", "give fewer at once")
    who = np.zeros(len(given), np.int64) if subjects is None else check.array(subjects, "subjects", "iuU", shape=(len(given),))
    return given, np.unique(who, return_inverse=True)[1], length


def _by_subject(values: NDArray[np.float64], who: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean of each subject's lists, [subject, x]."""
    total = np.zeros((int(who.max()) + 1, values.shape[1]))
    np.add.at(total, who, values)
    return total / np.bincount(who)[:, None]


def _curve(x: NDArray[np.int64], subjects: NDArray[np.float64]) -> RecallCurve:
    return RecallCurve(x, *mean_and_error(subjects, axis=0), subjects)
