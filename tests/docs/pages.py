"""README and pages as the tests read them: links, commands and code."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
PROSE = [README, ROOT / "CONTRIBUTING.md", *PAGES]
SCRIPTS = sorted(path for folder in ("sims", "analysis") for path in (ROOT / folder).glob("*/*.py") if path.name != "__init__.py")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """A file of Python, parsed once for all that ask about it."""
    return ast.parse(text(path))


def blocks(path: Path, language: str = "python") -> list[str]:
    """The fenced blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text(path), re.DOTALL | re.MULTILINE)


def links(path: Path) -> list[str]:
    """Targets of the links and pictures of a page, its code left out."""
    prose = re.sub(r"```.*?```|`[^`\n]*`(?!\])", "", text(path), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def commands(path: Path) -> list[str]:
    """What a page tells to type: indented lines and `code` that begin with a known program, without comments."""
    page = re.sub(r"^```.*?^```", "", text(path), flags=re.DOTALL | re.MULTILINE)
    shown = re.findall(r"^ {4}(\S.*)$", page, re.MULTILINE) + re.findall(r"`([^`\n]+)`", page)
    starts = ("spikemem ", "python ", "make ", "pip ", "pre-commit ")
    return [re.split(r"\s+#|\s{2,}", line.strip())[0] for line in shown if line.startswith(starts)]


def options(script: Path, seen: frozenset[Path] = frozenset()) -> set[str]:
    """The options that a script takes: those that it, or a script beside it that it imports, adds to a parser."""
    nodes = list(ast.walk(tree(script)))
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"]
    taken = {arg.value for call in calls for arg in call.args if isinstance(arg, ast.Constant)} | {"--help"}
    modules = {name for node in nodes for name in imported(node)}
    helpers = [script.parent / f"{module.rpartition('.')[2]}.py" for module in modules]
    for helper in helpers:
        if helper.is_file() and helper not in seen and helper != script:
            taken |= options(helper, seen | {script})
    return taken


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def names(code: str) -> set[tuple[str, str]]:
    """(module, name) for each thing that code takes from spikemem; "" is the module itself."""
    code = re.sub(r"^\s*[%!].*$", "", code, flags=re.MULTILINE)
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "spikemem" and not node.level:
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name.partition(".")[0] == "spikemem"}
    return found


@cache
def defined(path: Path) -> frozenset[str]:
    """What a module defines: classes with their members ("Class.member"), functions, assigned names."""
    found: set[str] = set()
    for node in tree(path).body:
        found |= assigned(node)
        if isinstance(node, ast.ClassDef):
            members = set().union(*map(assigned, node.body), {part.attr for part in ast.walk(node) if is_own(part)})
            found |= {f"{node.name}.{member}" for member in members}
    return frozenset(found)


def assigned(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Whether code sets an attribute of self."""
    own = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    return own and isinstance(node.value, ast.Name) and node.value.id == "self"
