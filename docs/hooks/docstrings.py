"""Docstrings as Markdown: examples become code, and lines that explain a parameter become a list.

A griffe extension, called by mkdocstrings. Nothing is said otherwise than in the source; only its form is made plain to Markdown.
"""

import re
from typing import Any

import griffe

PARAMETER = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*): (?=\S)")
GAP = re.compile(r"(?<=\S) {3,}(?=\w+(?:, \w+)*: )")


def markdown(text: str) -> str:
    """The text of a docstring, in Markdown.

    >>> print(markdown("tau: ms.   threshold: theta.\\n\\n>>> 1 + 1\\n2"))
    - **tau**: ms.
    - **threshold**: theta.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    lines: list[str] = []
    before = ""
    example = False
    for line in (part for whole in text.splitlines() for part in (GAP.split(whole) if PARAMETER.match(whole) else [whole])):
        if line.startswith(">>>") and not example:
            lines.append("```pycon")
            example = True
        elif example and not line.strip():
            lines.append("```")
            example = False
        parameter = not example and PARAMETER.match(line)
        if parameter:
            if before.strip() and not before.startswith("- "):
                lines.append("")
            line = f"- **{parameter[1]}**: {line[parameter.end() :]}"
        elif before.startswith("- ") and line.strip() and not line.startswith(" "):
            lines.append("")
        lines.append(line)
        before = "- " if before.startswith("- ") and line.startswith("    ") else line
    return "\n".join([*lines, "```"] if example else lines)


class Docstrings(griffe.Extension):
    """Gives mkdocstrings the Markdown in place of the source's text."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)
