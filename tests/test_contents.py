"""The packages' tables of contents: every name is there, and heavy libraries are loaded only by what needs them."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import spikemem

ROOT = Path(spikemem.__file__).parent
STUBS = sorted(ROOT.rglob("__init__.pyi"))
HEAVY = ("torch", "numba", "snntorch", "sentence_transformers", "brian2", "matplotlib", "pydantic")
TORCH = {"torch", "snntorch", "sentence_transformers", "brian2"}
HELP = """
import sys
from spikemem.cli import main
sys.argv = ["spikemem", "--help"]
try:
    main()
except SystemExit:
    pass
"""
SIMULATE = """
from spikemem import LIF, Network, Population, simulate
net = Network(dt=1.0)
net.add(Population("cell", 1, LIF(tau=20.0)))
assert simulate(net, {"cell": [0.3]}, steps=12)["cell"].step.tolist() == [3, 7, 11]
"""


def loaded(code: str) -> set[str]:
    """The heavy libraries that are loaded after the code has run in a fresh process."""
    tell = f"\nimport sys\nprint('loaded', *(name for name in {HEAVY} if name in sys.modules))"
    made = subprocess.run([sys.executable, "-c", code + tell], capture_output=True, text=True, check=True)
    return set(made.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.name)
def test_every_name_of_a_table_of_contents_is_there(stub: Path) -> None:
    package = importlib.import_module(".".join(stub.parent.relative_to(ROOT.parent).parts))
    tree = ast.parse(stub.read_text(encoding="utf-8")).body
    listed = {name.name for line in tree if isinstance(line, ast.ImportFrom) for name in line.names}
    named = next(ast.literal_eval(line.value) for line in tree if isinstance(line, ast.Assign))
    assert listed == set(named) == set(package.__all__)
    for name in named:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        package.nonsense  # noqa: B018


def test_nothing_heavy_is_loaded_before_something_needs_it() -> None:
    assert loaded("import spikemem") == set()
    assert loaded(HELP) == set()


@pytest.mark.slow
def test_the_event_driven_simulator_the_hippocampus_and_the_figures_do_without_torch() -> None:
    assert loaded("from spikemem import Hippocampus, Memory, load_model, plots; load_model('hippocampus-small')").isdisjoint(TORCH)
    simulated = loaded(SIMULATE)
    assert simulated.isdisjoint(TORCH)
    assert "numba" in simulated  # what is looked for is found where it is
