"""The house: few rooms at the top, small files and functions, one class a name."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "spikemem"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "kernels" not in path.parents)
"""All but the kernels, whose loops are long."""
LONGEST_FILE, LONGEST_BODY, MOST_PARAMETERS = 400, 50, 10
Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed once for all that ask about it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def body(function: Function) -> int:
    """Lines of a function without its head and docstring."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return 0 if not statements else (statements[-1].end_lineno or 0) - statements[0].lineno + 1


def parameters(function: Function) -> int:
    """Parameters that a caller may give, but self and cls."""
    a = function.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def commands(path: Path) -> bool:
    """Whether a file holds commands, whose parameters are the options of the command line."""
    return path.parent.name == "cli"


def test_the_top_level_is_a_table_of_contents() -> None:
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len([path for path in entries if path.is_file()]) <= 8
    assert len([path for path in entries if path.is_dir()]) <= 16


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_is_read_in_one_go(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_function_does_one_thing(path: Path) -> None:
    assert {f.name: body(f) for f in functions(path) if body(f) > LONGEST_BODY} == {}
    assert {f.name: parameters(f) for f in functions(path) if parameters(f) > MOST_PARAMETERS and not commands(path)} == {}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_the_fields_of_a_class_stand_above_its_methods(path: Path) -> None:
    for made in (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)):
        fields = [i for i, part in enumerate(made.body) if isinstance(part, ast.AnnAssign)]
        methods = [i for i, part in enumerate(made.body) if isinstance(part, Function)]
        assert not fields or not methods or max(fields) < min(methods), made.name


def test_a_public_class_has_a_name_of_its_own() -> None:
    classes = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in classes.items() if count > 1] == []


def test_every_public_thing_says_what_it_is() -> None:
    """Modules, public classes and public functions have a docstring."""
    silent = []
    for path in PACKAGE.rglob("*.py"):
        module = tree(path)
        things = [module, *(node for node in module.body if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"))]
        silent += [f"{named(path)}: {getattr(thing, 'name', 'module')}" for thing in things if not ast.get_docstring(thing)]
    assert silent == []


LIBRARIES = ("brian2", "nir", "norse", "snntorch")
"""Folders of spikemem that are named after a library, whose names docstrings mean."""
FOLDERS = {folder.name: folder for folder in PACKAGE.rglob("*") if (folder / "__init__.py").is_file() and folder.name not in LIBRARIES}
DOTTED = re.compile(rf"`((?:spikemem|{'|'.join(FOLDERS)})(?:\.\w+)+)`")


def resolves(name: str) -> bool:
    """Whether a dotted name, from spikemem or from a folder of it on, is a module, or an attribute or a field of something in one."""
    first, *rest = name.split(".")
    path = ["spikemem", *(FOLDERS[first].relative_to(PACKAGE).parts if first in FOLDERS else ()), *rest]
    for end in range(len(path), 0, -1):
        try:
            thing = import_module(".".join(path[:end]))
        except ModuleNotFoundError:
            continue
        for part in path[end:]:
            if not hasattr(thing, part) and part not in getattr(thing, "__annotations__", {}):
                return False
            thing = getattr(thing, part, None)
        return True
    return False


def test_a_name_that_does_not_exist_is_found() -> None:
    assert all(map(resolves, ("network.neurons.LIF.tau", "spikemem.learn.loop", "regions.gates.Verdict.key")))
    assert not any(map(resolves, ("network.neurons.lif.tau", "spikemem.neurons", "hippocampus.ADAPTATIONS")))


def test_a_first_line_stands_by_itself() -> None:
    """A docstring of several lines has the end of a sentence in its first."""
    broken = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Module | ast.ClassDef | Function):
                first, *rest = (ast.get_docstring(node) or "").splitlines() or [""]
                if rest and rest[0].strip() and not re.search(r"[.:;?!)]($|\s)", first):
                    broken.append(f"{named(path)}: {getattr(node, 'name', 'module')}: {first}")
    assert broken == []


def test_docstrings_name_what_exists() -> None:
    """Every dotted name in backticks, in a docstring or a comment, that begins with spikemem or with a folder of it."""
    lost = []
    for path in PACKAGE.rglob("*.py"):
        names = DOTTED.findall(path.read_text(encoding="utf-8"))
        lost += [f"{named(path)}: {name}" for name in names if not resolves(name)]
    assert lost == []
