"""Files of NIR graphs: those that nir itself refuses, and those that ask for too much or lead elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import from_nir
from spikemem.errors import NetworkError
from spikemem.formats import nir_shapes

nir = pytest.importorskip("nir", reason="the reference extra is not installed")
h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A graph of an Input, weights, two LIF cells and an Output."""
    lif = nir.LIF(**{name: np.full(2, value) for name, value in {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.1}.items()})
    nodes = {"in": nir.Input(np.array([3])), "w": nir.Linear(np.ones((2, 3))), "cells": lif, "out": nir.Output(np.array([2]))}
    made = tmp_path / "graph.nir"
    nir.write(made, nir.NIRGraph(nodes, [("in", "w"), ("w", "cells"), ("cells", "out")]))
    return made


def rewritten(path: Path, name: str, value: Any) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = value


def test_a_file_is_read_by_its_path(path: Path) -> None:
    for where in (path, str(path)):
        assert {name: p.size for name, p in from_nir(where, 1.0).populations.items()} == {"in": 3, "cells": 2}
    assert nir_shapes(path) == {"cells": (2,), "in": (3,)}


def test_types_that_nir_does_not_accept_are_read(path: Path) -> None:
    rewritten(path, "node/nodes/out/shape", np.array([1, 1, 2]))
    with pytest.raises(ValueError, match="type mismatch"):
        nir.read(path)
    assert from_nir(path, 1.0).projections[0].name == "in->cells"


def group_inside_itself(file: Any) -> None:
    file["node/again"] = file["node"]


def external(file: Any) -> None:
    file["node/nodes/other"] = h5py.ExternalLink("/etc/hostname", "/")


def raw(file: Any) -> None:
    del file["node/nodes/w/weight"]
    file.create_dataset("node/nodes/w/weight", (2, 3), "u1", external=[("/etc/hostname", 0, 6)])


def huge(file: Any) -> None:
    del file["node/nodes/w/weight"]
    file.create_dataset("node/nodes/w/weight", (2**20, 2**20), "f8", chunks=(1024, 1024), compression="gzip")


def dropped(name: str) -> Callable[[Any], None]:
    return lambda file: file.__delitem__(name)


def changed(name: str, value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[name]
        file[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (group_inside_itself, "cannot be read|holds no NIR graph"),
        (external, "node/nodes/other is a link; write the graph without links"),
        (raw, "weight lies in another file"),
        (huge, "the arrays of this NIR file would hold 1,0"),
        (dropped("node"), "holds no NIR graph"),
        (dropped("node/edges"), "cannot be read"),
        (dropped("node/nodes/cells/tau"), r"NIR node 'cells' \(LIF\): it cannot be read \(TypeError: .*tau"),
        (changed("node/nodes/cells/type", "Unknown"), r"NIR node 'cells' \(Unknown\): it cannot be read"),
        (changed("node/nodes/cells/tau", np.ones(3)), r"NIR node 'cells' \(LIF\): it cannot be read \(AssertionError: All parameters"),
        (changed("node/nodes/cells/tau", np.full(2, np.nan)), r"NIR node 'cells' \(LIF\): its tau: NaN"),
        (changed("node/nodes/cells", 3.0), r"NIR node 'cells' \(None\): it cannot be read"),
        (changed("node/edges", np.arange(3)), "cannot be read"),
    ],
)
def test_a_file_that_is_no_graph_is_one_error(path: Path, change: Callable[[Any], None], cause: str) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(NetworkError, match=cause):
        from_nir(path, 1.0)


def test_no_file_and_no_hdf5_are_said(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="no file"):
        from_nir(tmp_path / "none.nir", 1.0)
    (tmp_path / "text.nir").write_text("no graph")
    with pytest.raises(NetworkError, match="holds no NIR graph"):
        from_nir(tmp_path / "text.nir", 1.0)
