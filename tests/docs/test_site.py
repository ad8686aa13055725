"""What the site is made of: tutorials from notebooks, the API from packages, links into the repository, docstrings as Markdown."""

import importlib.util
import re
from types import ModuleType

import pytest

from tests.docs.pages import NOTEBOOKS, PAGES, ROOT, text


def hook(name: str, needs: str) -> ModuleType:
    pytest.importorskip(needs, reason="the docs extra is not installed")
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/hooks/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation() -> None:
    config = text(ROOT / "mkdocs.yml")
    assert set(re.findall(r": (\w+\.md)$", config, re.MULTILINE)) == {page.name for page in PAGES}
    assert "font: false" in config


def test_tutorials_have_their_outputs() -> None:
    pages = hook("pages", "mkdocs")
    for path in NOTEBOOKS:
        page, pictures = pages.tutorial(path)
        assert page.startswith("# ")
        assert "%matplotlib" not in page
        assert pictures, f"{path.name} was saved without its pictures"
        assert all(picture.startswith(b"\x89PNG") and f"]({name})" in page for name, picture in pictures.items())


def test_links_into_the_repository() -> None:
    pages = hook("pages", "mkdocs")
    assert pages.on_page_markdown("[`a`](../spikemem/network/graph.py)") == "[`a`][spikemem.network.graph]"
    assert pages.on_page_markdown("[a](../notebooks/01_first_recall.ipynb)") == "[a](tutorials/01_first_recall.md)"
    assert pages.on_page_markdown("[a](../models/spike-cam.toml), [b](limits.md)") == "a, [b](limits.md)"
    ca3 = "spikemem.hippocampus.regions.ca3"
    path = f"../{ca3.replace('.', '/')}.py"
    assert pages.on_page_markdown(f"[`CA3.cycle`]({path}), [`CA3.py`]({path})") == f"[`CA3.cycle`][{ca3}.CA3.cycle], [`CA3.py`][{ca3}]"
    assert pages.on_page_markdown("[a](../spikemem/plots), [b](../spikemem/network/neurons)") == (
        "[a](api/spikemem.plots.md), [b][spikemem.network.neurons]"
    )


def test_code_of_the_repository_is_shown() -> None:
    pages = hook("pages", "mkdocs")
    whole = pages.on_page_markdown("<!-- code: tests/crosscheck/toys/oja.py -->\n")
    assert whole == f"```python\n{text(ROOT / 'tests/crosscheck/toys/oja.py').strip()}\n```\n"
    part = pages.on_page_markdown("<!-- code: tests/crosscheck/toys/oja.py OjaState -->")
    assert part.startswith("```python\nclass OjaState(NamedTuple):")
    assert "Oja(PlasticityRule)" not in part
    assert "@dataclass(frozen=True)\nclass Oja(" in pages.on_page_markdown("<!-- code: tests/crosscheck/toys/oja.py Oja -->")
    with pytest.raises(KeyError, match="does not define Ojo"):
        pages.on_page_markdown("<!-- code: tests/crosscheck/toys/oja.py Ojo -->")


def test_every_package_has_a_page() -> None:
    pages = hook("pages", "mkdocs")
    assert {"spikemem", "spikemem.network", "spikemem.memory"} <= set(pages.packages())
    page = pages.reference("spikemem.network")
    assert "::: spikemem.network.neurons" in page
    assert 'identifier="spikemem.network.neurons.LIF"' in page
    assert "::: spikemem.errors" in pages.reference("spikemem")


def test_docstrings_become_markdown() -> None:
    markdown = hook("docstrings", "griffe").markdown
    assert markdown("A cell.\n\ntau: ms,\n    above 0.   threshold: theta.\nMore: no.").startswith(
        "A cell.\n\n- **tau**: ms,\n    above 0."
    )
    assert markdown("tau: ms.   threshold: theta.") == "- **tau**: ms.\n- **threshold**: theta."
    assert markdown(">>> 1 + 1\n2\n\nEnd.") == "```pycon\n>>> 1 + 1\n2\n```\n\nEnd."
