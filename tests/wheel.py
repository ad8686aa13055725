"""Build the wheel, put it beside what it says it needs and nothing else, and recall from outside the checkout, as a user would.

Nothing is downloaded: the distributions that the wheel requires, and what they require, are linked from the environment that runs this.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
RECALL = """
import numpy as np, spikemem, pathlib
assert "site-packages" in spikemem.__file__, spikemem.__file__
memory = spikemem.Hippocampus(spikemem.load_model("hippocampus-small"))
vectors = np.random.default_rng(0).normal(size=(40, 384))
memory.store(vectors)
assert (memory.recall(vectors).ids[:, 0] == np.arange(40)).all()
spikemem.Hippocampus(spikemem.load_model("hippocampus-trained")).store(vectors)
print("recalled 40 of 40 from", pathlib.Path(spikemem.__file__).parent)
"""
SHIPPED = ("models/hippocampus-base.toml", "models/weights/ec-minilm.safetensors", "corpus/demo.json", "corpus/conversation.json")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder)
        wheel = built(outside)
        site = environment(outside / "env", wheel)
        python = str(next(path for part in ("bin/python", "Scripts/python.exe") if (path := outside / "env" / part).exists()))
        run = subprocess.run([python, "-I", "-c", RECALL], cwd=outside, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert str(site) in run.stdout, run.stdout
        for command, message in ((["recall", "none.db", "x"], "store something first"), (["store", "brain.db", "x"], "spikemem[text]")):
            answer = subprocess.run([python, "-I", "-m", "spikemem", *command], cwd=outside, capture_output=True, text=True, check=False)
            assert answer.returncode == 2, answer
            assert message in answer.stderr, answer
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    print("the wheel installs, carries its models, and recalls")


def built(folder: Path) -> Path:
    """The wheel, its contents looked at."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wheel = next(folder.glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert top == {"spikemem", next(t for t in top if t.endswith(".dist-info"))}, top
    for needed in (*SHIPPED, "report.html", "lab/page.html", "lab/page.js", "py.typed", "__init__.pyi"):
        assert any(name.endswith(needed) for name in names), needed
    return wheel


def environment(folder: Path, wheel: Path) -> Path:
    """An environment with the wheel's contents and links to what it requires; returns its site-packages."""
    venv.create(folder, with_pip=False)
    site = next(folder.rglob("site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    for needed in required(PathDistribution(next(site.glob("spikemem-*.dist-info")))):
        for top in {file.parts[0] for file in needed.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(needed.locate_file(top))))
    return site


def required(start: Distribution) -> Iterator[Distribution]:
    """All distributions that one requires, by way of others too, without its extras."""
    todo, seen = [(start, frozenset[str]())], {start.name}
    while todo:
        of, extras = todo.pop()
        for requirement in map(Requirement, of.requires or ()):
            wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            if wanted and requirement.name not in seen:
                seen.add(requirement.name)
                found = distribution(requirement.name)
                todo.append((found, frozenset(requirement.extras)))
                yield found


if __name__ == "__main__":
    main()
