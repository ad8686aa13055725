"""Every link, command and name in README, CONTRIBUTING, docs and notebooks leads somewhere."""

import importlib
import json
import re
import shlex
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from spikemem.cli import app
from tests.docs.pages import NOTEBOOKS, PAGES, PROSE, README, ROOT, SCRIPTS, blocks, commands, links, names, options, text

SPEAKS = pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
MADE = {"results", "spikemem-demo", "site"}
"""Folders that commands write."""


@SPEAKS
def test_links_lead_somewhere(page: Path) -> None:
    assert not [target for target in links(page) if "://" not in target and not (page.parent / target.partition("#")[0]).exists()]


@SPEAKS
def test_anchors_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        if anchor and "://" not in target:
            headings = re.findall(r"^#+ (.*)$", text(page.parent / path if path else page), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_links_are_seen() -> None:
    assert "docs/limits.md" in links(README)
    assert "docs/raster.png" in links(README)
    assert "spikemem validate" in commands(README)
    assert len(links(README)) > 15


@SPEAKS
def test_spikemem_commands_parse(page: Path) -> None:
    """Each names a command that there is, its options, and as many arguments as it takes."""
    for line in commands(page):
        if line.startswith("spikemem ") and "--help" not in line:
            parse(line)


@cache
def program() -> click.Command:
    return typer.main.get_command(app)


def parse(line: str) -> None:
    words = shlex.split(line.replace(" ...", ""))[1:]
    command: click.Command = program()
    context = click.Context(command, info_name="spikemem")
    while hasattr(command, "commands"):
        assert words, f"{line}: a group of commands, without one"
        assert words[0] in command.commands, f"{line}: no command {words[0]!r}"
        command = command.commands[words[0]]
        context = click.Context(command, info_name=words.pop(0), parent=context)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    assert not unknown, f"{line}: no option {unknown}"


def test_a_wrong_command_is_seen() -> None:
    with pytest.raises(AssertionError, match="no command 'simulat'"):
        parse("spikemem simulat spike-cam")
    with pytest.raises(AssertionError, match="no option"):
        parse("spikemem validate --no-such-option")


CITING = [*PROSE, ROOT / "models/weights/README.md", *SCRIPTS]


@pytest.mark.parametrize("page", CITING, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_scripts_are_there_and_take_their_options(page: Path) -> None:
    for line in commands(page):
        words = line.replace("|", " ").split()
        if words[0] != "python" or not words[1].startswith(("sims/", "analysis/")):
            continue
        script = ROOT / words[1]
        assert script.is_file(), line
        unknown = {word.partition("=")[0] for word in words if word.startswith("--")} - options(script)
        assert not unknown, f"{line}: no option {unknown}"


def test_a_wrong_option_is_seen() -> None:
    taken = options(ROOT / "sims/papers/spike_cam.py")
    assert {"--input", "--raster"} <= taken
    assert "--no-such-option" not in taken
    assert "--data" in options(ROOT / "sims/memory/locomo.py")  # of the module that it shares with others


@SPEAKS
def test_make_targets_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert {line.split()[1] for line in commands(page) if line.startswith("make ")} <= targets


@SPEAKS
def test_paths_in_code_marks_are_there(page: Path) -> None:
    """`folder/file.ext`, from the root of the repository."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - MADE
    named = re.findall(r"`([\w-]+/[\w./-]*\w/?)`", text(page))
    assert not [path for path in named if path.partition("/")[0] in folders and not (ROOT / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_has_a_picture_or_a_command(page: Path) -> None:
    assert commands(page) or any(target.endswith((".png", ".svg")) for target in links(page))


@cache
def sources() -> dict[str, list[str]]:
    """All code that uses spikemem from outside, by where it stands."""
    cells = {path: [cell for cell in json.loads(text(path))["cells"] if cell["cell_type"] == "code"] for path in NOTEBOOKS}
    return (
        {str(page.relative_to(ROOT)): blocks(page) for page in PROSE}
        | {str(path.relative_to(ROOT)): ["".join(cell["source"]) for cell in of_one] for path, of_one in cells.items()}
        | {str(path.relative_to(ROOT)): [text(path)] for path in SCRIPTS}
    )


@pytest.mark.parametrize("where", sources())
def test_every_public_name_that_is_used_is_there(where: str) -> None:
    for module, name in sorted(set().union(*(names(code) for code in sources()[where]))):
        assert resolves(module, name), f"{where}: from {module} import {name}"


def resolves(module: str, name: str) -> bool:
    try:
        found = importlib.import_module(module)
        return not name or hasattr(found, name) or bool(importlib.import_module(f"{module}.{name}"))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "spikemem":
            return False
        pytest.skip(f"{error.name} is not installed")


def test_a_name_that_is_gone_is_seen() -> None:
    assert names("from spikemem import LIF\nimport spikemem.plots") == {("spikemem", "LIF"), ("spikemem.plots", "")}
    assert resolves("spikemem", "LIF")
    assert resolves("spikemem", "plots")
    assert not resolves("spikemem", "NoSuchName")
    assert not resolves("spikemem.corpus", "load_corpus")
    assert len(sources()) > 50


# -- the README ------------------------------------------------------------------------------------------------------------------------


def sentences(page: str) -> list[list[str]]:
    """The words of each sentence of the prose: code, tables and headings left out; a line of a list is a sentence."""
    prose = re.sub(r"```.*?```", "\n\n", page, flags=re.DOTALL)
    prose = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    lines = ["\n" if re.match(r"\s*$|#|\||    ", line) else line for line in prose.splitlines()]
    paragraphs = re.split(r"\n\s*\n|\n(?=- )", "\n".join(lines))
    ends = r"(?<=[.?!])[*”\"']*\s+"
    counted = (re.findall(r"\w(?:[\w'’.-]*\w)?", sentence) for paragraph in paragraphs for sentence in re.split(ends, paragraph))
    return [words for words in counted if len(words) > 2]


def test_readme_is_short() -> None:
    assert len(text(README).splitlines()) <= 150
    found = sentences(text(README))
    assert len(found) > 15
    assert sum(map(len, found)) / len(found) < 20


def test_long_sentences_are_seen() -> None:
    assert sentences("One two three.\nFour five\nsix. \n\n| a | table |\n\n- seven eight nine\n- ten eleven twelve") == [
        "One two three.".rstrip(".").split(), ["Four", "five", "six"], ["seven", "eight", "nine"], ["ten", "eleven", "twelve"]
    ]  # fmt: skip


def test_first_lines_are_the_two_commands() -> None:
    head = text(README)[:600]
    assert head.index("make demo") < head.index("make test")


def test_gallery_shows_every_published_protocol() -> None:
    parts = re.split(r"^## ", text(ROOT / "docs/papers.md"), flags=re.MULTILINE)[1:]
    protocols = {path.name for path in SCRIPTS if path.parts[-3:-1] == ("sims", "papers") and "def main" in text(path)}
    whole = [part for part in parts if "![" in part and "**Figure:**" in part]
    shown = {name for part in whole for name in protocols if f"python sims/papers/{name}" in part}
    assert shown == protocols


@pytest.mark.parametrize("script", [s for s in SCRIPTS if s.parent.parent.name == "sims"], ids=lambda s: f"{s.parent.name}/{s.name}")
def test_first_line_of_a_protocol_stands_by_itself(script: Path) -> None:
    first, _, rest = text(script).removeprefix('"""').partition("\n")
    assert first.rstrip('"').endswith("."), first
    assert not rest or rest.startswith("\n"), first
    if script.parent.name == "papers" and "def main" in text(script):
        assert re.search(r"\((?:19|20)\d\d\)|et al\. (?:19|20)\d\d|NuoNuo", text(script).split('"""')[1]), "names no paper"
