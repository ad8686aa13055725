"""Registries of parts by name (neurons, plasticity rules, simulators): spikemem's own, other packages', and those added at run time."""

import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from spikemem._checks import shown
from spikemem.errors import NetworkError

T = TypeVar("T")


class Registry(Generic[T]):
    """Parts of one sort by name: spikemem's own, those of installed packages, and those registered at run time.

    what: the sort, for messages.   group: the entry point group under which other packages announce theirs; each is loaded when it is
    first looked up.   own: spikemem's own. Names are unique.   sort: the class of the parts, where they are of one; what another package
    announces must be of it, and have its name.

    >>> fruit = Registry("fruit", "spikemem.fruits", {"apple": 1})
    >>> fruit.register("pear", 2)
    >>> list(fruit), fruit["pear"]
    (['apple', 'pear'], 2)
    """

    def __init__(self, what: str, group: str, own: Mapping[str, T], sort: type[T] | None = None) -> None:
        self.what, self.group, self.sort = what, group, sort
        self._things = dict(own)

    def register(self, name: str, thing: T) -> None:
        """Add a part in this process; NetworkError where the name is taken."""
        if name in self:
            raise NetworkError(f"there is already a {self.what} {name!r}; choose another name")
        self._things[name] = thing

    def remove(self, name: str) -> None:
        """Remove a part that was registered in this process."""
        del self._things[name]

    def __getitem__(self, name: str) -> T:
        """The part of a name; NetworkError where there is none, where two packages claim the name, or where one cannot be loaded."""
        if not isinstance(name, str):
            raise NetworkError(f"the name of a {self.what} is a text, not {shown(name)}")
        claims = [point for point in self._announced if point.name == name]
        if len(claims) + (name in self._things) > 1:
            owners = ["spikemem or this process"] * (name in self._things) + [point.value for point in claims]
            raise NetworkError(f"more than one {self.what} is called {name!r}: of {' and of '.join(owners)}; uninstall or rename one")
        if name in self._things:
            return self._things[name]
        if not claims:
            raise NetworkError(f"no {self.what} {name!r}; there are {', '.join(self)}")
        try:
            thing = claims[0].load()
        except (ImportError, AttributeError) as error:
            raise NetworkError(f"the {self.what} {name!r} ({claims[0].value}) cannot be loaded: {error}") from error
        if self.sort is not None and (not isinstance(thing, self.sort) or getattr(thing, "name", name) != name):
            raise NetworkError(f"{claims[0].value} is {shown(thing)}, and no {self.what} of the name {name!r}; mend the entry point")
        return cast(T, thing)

    def loadable(self) -> dict[str, T]:
        """All parts that can be loaded, by name; of the others a warning says why."""
        found = {}
        for name in self:
            try:
                found[name] = self[name]
            except NetworkError as error:
                warnings.warn(str(error), stacklevel=2)
        return found

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __iter__(self) -> Iterator[str]:
        """Every name, without loading anything."""
        return iter(dict.fromkeys([*self._things, *(point.name for point in self._announced)]))

    @cached_property
    def _announced(self) -> tuple[EntryPoint, ...]:
        """The entry points of installed packages; looked up once, since that reads the metadata of them all."""
        return tuple(entry_points(group=self.group))
