"""Altering: bytes, texts, trees as JSON has them, and arrays, each at random and with a taste for the edges."""

import json
import math
import random
from typing import Any

import numpy as np

NUMBERS = (0, 1, -1, 255, 2**16, 2**31 - 1, 2**31, 2**32 + 1, 2**53, 2**63 - 1, 2**63, 2**64, 10**11, -(2**63), 10**400)
FLOATS = (0.5, -0.0, 1e-320, 1e300, math.inf, -math.inf, math.nan)
TEXTS = ("", " ", "\0", "a\0b", "\x1b[31m", "é" * 300, "x" * 5000, "\ufeff", "\ud800", "/", "../..", "->", "#", "1e999", "nan", "None")
DEEP = "a hundred thousand lists, each in the one before"
SHAPES = ((), (0,), (1,), (3,), (2, 0), (0, 384), (1, 1, 1), (7, 5))


def hostile(rng: random.Random) -> Any:
    """A value that a reader does not expect."""
    kinds = (None, True, False, rng.choice(NUMBERS), rng.choice(FLOATS), rng.choice(TEXTS), [], {}, [[]], {"a": None}, [1, "a", None], DEEP)
    return rng.choice(kinds)


def written(value: Any) -> str:
    """A tree as JSON, in which DEEP is as deep as no parser follows."""
    return json.dumps(value).replace(json.dumps(DEEP), "[" * 100_000 + "]" * 100_000)


def octets(rng: random.Random, seed: bytes) -> bytes:
    """Some bytes changed, cut, doubled or put in."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if not data:
            break
        at, run = rng.randrange(len(data)), rng.choice((1, 2, 8, 100))
        match rng.randrange(6):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + run] = rng.randbytes(run)
            case 2:
                del data[at : at + run]
            case 3:
                data[at:at] = data[at : at + run]
            case 4:
                data[at : at + 8] = rng.choice(NUMBERS[:-1]).to_bytes(10, "little", signed=True)[:8]
            case 5:
                data = data[:at]
    return bytes(data)


def tree(rng: random.Random, value: Any) -> Any:
    """A tree of lists and dicts with one part replaced, left out, renamed or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key, made = rng.choice(list(value)), dict(value)
        match rng.randrange(12):
            case 0:
                del made[key]
            case 1:
                made[rng.choice(TEXTS)] = made.pop(key)
            case _:
                made[key] = tree(rng, value[key])
        return made
    if isinstance(value, list) and value and rng.random() < 0.85:
        at, listed = rng.randrange(len(value)), list(value)
        match rng.randrange(12):
            case 0:
                del listed[at]
            case 1:
                listed.insert(at, hostile(rng))
            case _:
                listed[at] = tree(rng, value[at])
        return listed
    return hostile(rng)


def array(rng: random.Random, given: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array of other values, another dtype or another shape."""
    own = np.random.default_rng(rng.randrange(2**32))
    match rng.randrange(6):
        case 0 if given.dtype.kind in "iu":
            low, high = np.iinfo(given.dtype).min, np.iinfo(given.dtype).max
            return own.integers(low, high, given.shape, given.dtype, endpoint=True)
        case 1:
            return own.integers(0, 255, max(given.nbytes, given.itemsize), np.uint8)[: given.nbytes].view(given.dtype).reshape(given.shape)
        case 2:
            with np.errstate(all="ignore"):
                return given.astype(rng.choice(("float32", "float64", "int64", "uint8", "uint16", "int8", "bool")))
        case 3:
            return np.zeros(rng.choice(SHAPES), given.dtype)
        case 4 if given.size:
            made = given.copy().reshape(-1)
            value = rng.choice([n for n in NUMBERS if abs(n) < 2**63]) if given.dtype.kind in "iu" else rng.choice(FLOATS)
            with np.errstate(all="ignore"):
                made[rng.randrange(made.size)] = np.array([value]).astype(given.dtype)[0]
            return made.reshape(given.shape)
    return np.concatenate([given, given]) if given.ndim else given[None]


def arrays(rng: random.Random, given: dict[str, Any]) -> dict[str, Any]:
    """Arrays by name, one of them altered, lost, added or under another name."""
    made, name = dict(given), rng.choice(list(given))
    match rng.randrange(8):
        case 0:
            del made[name]
        case 1:
            made[rng.choice(("other", "optimiser.7.step", "optimiser.x.y", "best.", "voltages/a", "spikes/"))] = made.pop(name)
        case _:
            made[name] = array(rng, given[name])
    return made
