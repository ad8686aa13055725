"""Terminals that show no more than ASCII, and texts that would command one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.cli.show import lines, out, visible
from spikemem.errors import TextError

SHOW = """
import sys
from spikemem.cli import show
show.any_terminal()
show.show([{"id": 0, "text": "a boat \\U0001f6a2, \\x1b[31mred\\x1b[0m [bold]x[/] \\u202egnp"}], "--json" in sys.argv)
"""


def shown(*options: str, **environment: str) -> str:
    """What a table of one text looks like in another process."""
    made = subprocess.run(
        [sys.executable, "-c", SHOW, *options], capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environment}
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}]
)
def test_a_character_that_a_terminal_lacks_is_shown_as_its_number(environment: dict[str, str]) -> None:
    assert "a boat \\U0001f6a2" in shown(**environment) or "a boat 🚢" in shown(**environment)
    assert json.loads(shown("--json", **environment).replace("\\U0001f6a2", ""))[0]["id"] == 0


@pytest.mark.slow
def test_what_commands_a_terminal_is_shown_as_text() -> None:
    printed = shown(PYTHONIOENCODING="utf-8", FORCE_COLOR="1")
    assert "\\x1b[31mred\\x1b[0m [bold]x[/] \\u202egnp" in printed
    assert "\x1b[31m" not in printed
    whole = shown("--json", PYTHONIOENCODING="utf-8")
    assert json.loads(whole)[0]["text"].startswith("a boat 🚢, \x1b[31mred")
    assert not {"\x1b", "\u202e"} & set(whole)


def test_an_error_shows_escapes_of_its_arguments_as_text() -> None:
    made = CliRunner().invoke(app, ["recall", "nowhere-\x1b[2J.db", "a boat"])
    assert made.exit_code == 2
    assert "\x1b[2J" not in made.output


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x9b31m", "\r", "\x7f", "\ud800", "\u2066"])
def test_no_command_stays(text: str) -> None:
    assert visible(f"a{text}b").isascii()
    assert visible(f"a{text}b").isprintable()


def test_letters_tabs_and_line_ends_stay() -> None:
    text = "naïve 🚢‍ \t\n日本"
    assert visible(text) == text
    assert out.file is not None


def test_a_file_has_its_lines_whatever_else_some_take_for_ends(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes("\ufeffone\fstill one\r\n\r\ntwo\x85\u2028still two\rthree\n".encode())
    assert lines(file) == ["one\fstill one", "two\x85\u2028still two", "three"]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(TextError, match=r"a\.txt cannot be read as UTF-8 text"):
        lines(tmp_path / "a.txt")


def test_a_seed_below_zero_is_refused() -> None:
    made = CliRunner().invoke(app, ["simulate", "spike-cam", "--seed", "-1"])
    assert made.exit_code == 2
    assert "Traceback" not in made.output
