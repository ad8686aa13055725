"""What the pages say of the code is so: toys, costs of additions, the glossary, the table of simulators, names that changed."""

import ast
import itertools
import re
from pathlib import Path

import pytest

from spikemem.simulators import SIMULATORS, table
from tests.docs.pages import ROOT, defined, text, tree

EXTENDING, GLOSSARY, SIMULATORS_PAGE = (ROOT / "docs" / f"{name}.md" for name in ("extending", "glossary", "simulators"))
TOYS, ADDITIONS = ROOT / "tests/crosscheck/test_toys.py", ROOT / "tests/hippocampus/test_additions.py"
LINKED = re.compile(r"\[`([^`]+)`\]\(\.\./([^)]+)\)")
COSTS = {"neuron": 1, "plasticity rule": 1, "simulator": 1, "region": 2, "pathway": 2, "data set": 2, "plot": 1, "command": 1}


def rows(page: Path, heading: str) -> list[list[str]]:
    """The rows of the table with a heading, below it."""
    body = text(page).partition(f"{heading}\n")[2].splitlines()[1:]
    end = next((i for i, line in enumerate(body) if not line.startswith("|")), len(body))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body[:end]]


# -- extending -------------------------------------------------------------------------------------------------------------------------


def shown(page: str) -> dict[str, list[str]]:
    """The files whose code the page shows, and the names of what it shows of each."""
    return {path: names.split() for path, names in re.findall(r"^<!-- code: (\S+)((?: \w+)*) -->$", page, re.MULTILINE)}


def run_by_the_suite() -> set[str]:
    """The toys that the cross-checks import and use."""
    toys = tree(TOYS)
    used = {node.id for node in ast.walk(toys) if isinstance(node, ast.Name)}
    imports = [node for node in toys.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.crosscheck.toys.")]
    return {f"{node.module.replace('.', '/')}.py" for node in imports if node.module and {alias.name for alias in node.names} <= used}


def test_extending_shows_the_toys_that_the_tests_run() -> None:
    code = shown(text(EXTENDING))
    assert len(run_by_the_suite()) == 3
    assert set(code) == run_by_the_suite() | {str(ADDITIONS.relative_to(ROOT))}
    assert len(re.findall("<!-- code", text(EXTENDING))) == 5


def test_what_is_shown_of_the_additions_is_tested() -> None:
    names = [name for parts in re.findall(r"test_additions\.py((?: \w+)+) -->", text(EXTENDING)) for name in parts.split()]
    assert len(names) > 3
    assert set(names) <= defined(ADDITIONS)
    tests = [node for node in tree(ADDITIONS).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    used = {node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)}
    assert {"Interneurons", "RecentSpec", "Recency"} <= used & set(names)


def test_costs_of_additions_are_as_many_files_as_named() -> None:
    table = rows(EXTENDING, "| to add | files | where |")
    assert len(table) == len(COSTS)
    for (what, files, where), (name, cost) in zip(table, COSTS.items(), strict=True):
        assert name in what
        places = re.findall(r"\]\(([^)]+)\)", where)
        assert int(files) == cost == len(places)
        assert all((EXTENDING.parent / place).exists() for place in places)


def test_every_addition_has_its_part() -> None:
    titles = re.findall(r"^## An? (.*)$", text(EXTENDING), re.MULTILINE)
    assert titles == list(COSTS)


# -- glossary and other names ----------------------------------------------------------------------------------------------------------


def unknown(page: Path) -> list[str]:
    """Links that name something of the code, `Name` or `Class.member`, which their file does not define."""
    links = [(name, ROOT / path) for name, path in LINKED.findall(text(page)) if path.endswith(".py") and not name.endswith(".py")]
    return [name for name, path in links if name not in defined(path)]


def test_glossary_says_where_each_word_is_defined() -> None:
    words = rows(GLOSSARY, "| word | what it is | where |")
    assert len(words) > 25
    assert [word for word, _, _ in words] == sorted({word for word, _, _ in words})
    for word, meaning, where in words:
        assert LINKED.fullmatch(where), word
        assert meaning.count(". ") == 0, f"{word}: one sentence"
        assert meaning.endswith("."), word


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_names_that_pages_link_are_defined_there(page: Path) -> None:
    assert not unknown(page)


def test_a_name_that_moved_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[`Volley`](../spikemem/hippocampus/holding.py), [`Volley`](../spikemem/hippocampus/recall.py)")
    assert unknown(page) == ["Volley"]


def test_how_it_works_names_what_there_is() -> None:
    """`Class.method` in the page on the hippocampus."""
    named = set(re.findall(r"`([A-Z]\w+\.[a-z_]\w*)`", text(ROOT / "docs/hippocampus.md")))
    everything = set().union(*(defined(path) for path in (ROOT / "spikemem/hippocampus").rglob("*.py")))
    assert {"DG.build", "Circuit.follow", "CA3.cycle"} <= named
    assert not named - everything


def test_new_names_of_the_changelog_are_there() -> None:
    everything = set().union(*(defined(path) for path in (ROOT / "spikemem").rglob("*.py")))
    changelog = text(ROOT / "CHANGELOG.md")
    tables = re.findall(r"^\| 0\.1\.0 \| 0\.2\.0 \|\n\|---\|---\|\n((?:\|.*\n)+)", changelog, re.MULTILINE)
    names = {name for row in tables[1].splitlines() for name in re.findall(r"`([\w.]+)`", row.strip("|").split(" | ")[1])}
    assert len(names) > 40
    assert not names - everything - {"storing", "Hippocampus.plans"}  # a word, and an attribute of its base class


# -- simulators ------------------------------------------------------------------------------------------------------------------------


def test_the_table_of_simulators_is_the_registrys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(SIMULATORS), "_announced", ())  # whatever other packages are installed
    lines = text(SIMULATORS_PAGE).splitlines()
    first = lines.index(table().splitlines()[0])
    rows = list(itertools.takewhile(lambda line: line.startswith("|"), lines[first:]))
    assert rows == table().splitlines()
