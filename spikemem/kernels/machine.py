"""What kernels ask of the machine itself: arrays at an address, cache lines fetched ahead, and the lowest bit of a word."""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, njit, types
from numba.core import cgutils
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import intrinsic

from spikemem.kernels import CACHE

LINE = 64
"""Bytes of a cache line."""


@intrinsic
def _pointer(typing: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), code


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """prefetch(array, index): begin to bring the cache line of an item of a contiguous array near, to be read once."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        at = builder.gep(context.make_array(signature.args[0])(context, builder, given[0]).data, [given[1]])
        byte, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, whole, whole, whole])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.bitcast(at, byte), whole(0), whole(3), whole(1)])  # to read, into all caches, data
        return context.get_dummy_value()

    return types.void(array, types.intp), code


@njit(cache=CACHE, inline="always")
def lowest(word: Any) -> Any:
    """The place of the lowest bit that is set, of a word that is not 0."""
    return trailing_zeros(word)


@njit(cache=CACHE, inline="always")
def array_at(address: int, shape: Any, kind: Any) -> Any:
    """The contiguous array of a shape and dtype at an address, which somebody else holds."""
    return carray(_pointer(address), shape, kind)


def address(array: np.ndarray[Any, Any]) -> int:
    """Where an array begins; it must be held as long as the address is used."""
    return int(array.ctypes.data)
