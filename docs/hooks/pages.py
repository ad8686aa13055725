"""What the site is made of beside docs/: the notebooks as tutorials, and a page of the API for each package.

Called by mkdocs. Links of the pages into the repository, `[text](../spikemem/network/graph.py)`, are links on the site, too: into the
API reference, or to a tutorial; to files that the site does not hold they are the text alone. A comment `<!-- code: FILE -->` becomes that
file of the repository, `<!-- code: FILE NAME ... -->` what it defines by these names: what a page shows is what the tests run.
"""

import ast
import base64
import json
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"<!-- code: (\S+)((?: \w+)*) -->")
LINK = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)(?:#[^)]*)?\)")


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def packages() -> list[str]:
    return ["spikemem", *sorted(f"spikemem.{folder.parent.name}" for folder in (ROOT / "spikemem").glob("*/__init__.py"))]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the parts of the navigation that follow from the repository."""
    made = {
        "Tutorials": [f"tutorials/{path.stem}.md" for path in notebooks()],
        "API reference": [{name: f"api/{name}.md"} for name in packages()],
    }
    for part in config.nav or []:
        for title in part:
            part[title] = made.get(title, part[title])
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of something else."""
    for path in notebooks():
        page, pictures = tutorial(path)
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=page))
        for name, picture in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=picture))
    for name in packages():
        files.append(File.generated(config, f"api/{name}.md", content=reference(name)))
    return files


def exported(name: str) -> dict[str, str]:
    """What a package gives by its own name, and where each stands."""
    folder = ROOT / name.replace(".", "/")
    lazy = folder / "__init__.pyi"  # names what a package imports when it is first used
    tree = ast.parse((lazy if lazy.is_file() else folder / "__init__.py").read_text(encoding="utf-8"))
    homes = [((f"{name}." if node.level else "") + (node.module or ""), node) for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {a.asname or a.name: f"{home.rstrip('.')}.{a.name}" for home, node in homes if home.startswith("spikemem") for a in node.names}


def reference(name: str) -> str:
    """A page of the API: what a package gives by its own name, then its modules; for spikemem itself the packages besides."""
    folder = ROOT / name.replace(".", "/")
    modules = [path.stem for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")]
    modules += [path.parent.name for path in sorted(folder.glob("*/__init__.py")) if name != "spikemem"]
    short = ", ".join(f'<autoref optional identifier="{home}"><code>{alias}</code></autoref>' for alias, home in exported(name).items())
    parts = [f"# {name}", first_line(name), f'    python -c "import {name}; help({name})"']
    parts += [f"`from {name} import ...`: {short}"] if short else []
    if name == "spikemem":
        parts.append("\n".join(f"- [`{package}`]({package}.md): {first_line(package)}" for package in packages()[1:]))
    return "\n\n".join([*parts, *(f"::: {name}.{module}" for module in modules)]) + "\n"


def first_line(package: str) -> str:
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def tutorial(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with the outputs that it was saved with, as Markdown, and its pictures."""
    parts = []
    pictures: dict[str, bytes] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"]).removeprefix("%matplotlib inline\n").strip()
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{path.stem}_{len(pictures)}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![Figure {len(pictures)}]({name})")
            elif text := "".join(output.get("text", data.get("text/plain", ""))).rstrip():
                parts.append(f"```text\n{text}\n```")
    parts.append(f"*This page is the notebook `notebooks/{path.name}` with its outputs.*")
    return "\n\n".join(parts) + "\n", pictures


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links into the repository become links of the site, and comments that name code the code."""
    linked = LINK.sub(lambda link: within(link[1], link[2]), markdown)
    return CODE.sub(lambda code: f"```python\n{shown(code[1], code[2].split())}\n```", linked)


def shown(path: str, names: list[str]) -> str:
    """A file of the repository, or what it defines by some names, in the file's order; KeyError where it lacks one."""
    source = (ROOT / path).read_text(encoding="utf-8")
    if not names:
        return source.strip()
    parts = defined(source)
    if lacks := set(names) - set(parts):
        raise KeyError(f"{path} does not define {', '.join(sorted(lacks))}")
    return "\n\n\n".join(code for name, code in parts.items() if name in names)


def defined(source: str) -> dict[str, str]:
    """The code of each class, function and assigned name of a module, by its name."""
    lines, found = source.splitlines(), {}
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                first = node.lineno
            case _:
                continue
        found[name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def within(text: str, target: str) -> str:
    path = Path(target.rstrip("/"))
    if path.suffix == ".ipynb":
        return f"[{text}](tutorials/{path.stem}.md)"
    if path.parts[0] == "spikemem" and (path.suffix == ".py" or (ROOT / path / "__init__.py").is_file()):
        module, name = ".".join(path.with_suffix("").parts), text.strip("`")
        if module in packages():
            return f"[{text}](api/{module}.md)"
        own = (
            path.suffix == ".py"
            and not name.endswith(".py")
            and name.partition(".")[0] in defined((ROOT / path).read_text(encoding="utf-8"))
        )
        return f"[{text}][{module}.{name}]" if own else f"[{text}][{module}]"
    return text
