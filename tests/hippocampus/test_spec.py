"""Model files: those that ship load, what is printed comes back, and each mistake is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikemem import ModelSpec, load_model
from spikemem.errors import SpecError
from spikemem.hippocampus.spec import CA1Spec, CA3Spec, DGSpec, ECSpec, model_names


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "model.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_model_loads_by_its_name(name: str) -> None:
    assert load_model(name).name == name


def test_there_are_a_base_and_a_small_model() -> None:
    assert {"hippocampus-base", "hippocampus-small"} <= set(model_names())


def test_the_defaults_are_the_base_model() -> None:
    base = load_model("hippocampus-base")
    assert base == ModelSpec(name=base.name, description=base.description)


specs = st.builds(
    lambda name, description, load, charge, words, winners: ModelSpec(
        name=name,
        description=description,
        load=load,
        ec=ECSpec(charge=charge),
        dg=DGSpec(cells=128 * words, winners=winners),
        ca3=CA3Spec(core=min(50, winners)),
        ca1=CA1Spec(),
    ),
    st.text(min_size=1),
    st.text(),
    st.integers(1, 10**9),
    st.floats(min_value=0.5, max_value=8),
    st.integers(1, 512),
    st.integers(1, 128),
)


@pytest.mark.slow
@given(specs)
def test_what_is_printed_comes_back(tmp_path_factory: pytest.TempPathFactory, spec: ModelSpec) -> None:
    assert load_model(written(tmp_path_factory.getbasetemp(), spec.to_toml())) == spec


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_model_survives_printing(tmp_path: Path, name: str) -> None:
    spec = load_model(name)
    assert load_model(written(tmp_path, spec.to_toml())) == spec


def test_an_empty_file_is_the_default_model(tmp_path: Path) -> None:
    assert load_model(written(tmp_path, "")) == ModelSpec()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 3", "unknown key 'colour'"),
        ("[dg]\nwiners = 3", r"unknown key 'dg\.winers'"),
        ("[dg]\nwinners = -3", r"dg\.winners = -3: .*greater than or equal to 1"),
        ("load = 0", "load = 0: .*greater than or equal to 1"),
        ("[ec]\ncharge = -0.5", r"ec\.charge = -0\.5: .*greater than or equal to 0\.5"),
        ("[ec]\ncharge = inf", r"ec\.charge = inf: .*less than or equal to 8"),
        ("[ca3]\ninhibition = 1.5", r"ca3\.inhibition = 1\.5: .*less than or equal to 1"),
        ("[ec]\ndim = 1.5", r"ec\.dim = 1\.5: .*integer"),
        ('[ec]\ndim = "many"', r"ec\.dim = 'many': .*integer"),
        ("ec = 3", "ec = 3"),
        ('name = ""', "name = ''"),
        ("[dg]\ncells = 100", "dg.cells is 100; it must be a multiple of 128"),
        ("[dg]\ncells = 65664", "dg.cells is 65664; at most 65536"),
        ("[dg]\ncells = 128\nwinners = 129", "dg.winners is 129, more than dg.cells = 128"),
        ("[ca3]\ncore = 129", "ca3.core is 129, more than dg.winners = 128"),
        ("[ec]\ndim = 7", "dg.fan_in is 8, more than ec.dim = 7"),
        ("[ca1]\ncompetitors = 201", "ca1.competitors is 201, more than ca1.candidates = 200"),
        ("[dg\nwinners = 3", "is no valid TOML"),
        (b"\xff\xfe\x00", "is no valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        load_model(written(tmp_path, text))
    assert "model.toml" in str(caught.value)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"load = 0: .*; unknown key 'colour'"):
        load_model(written(tmp_path, "load = 0\ncolour = 3"))


def test_an_unknown_name_lists_the_models() -> None:
    with pytest.raises(
        SpecError, match="no model 'hippocampus'; there are hippocampus-base, hippocampus-engram, hippocampus-engram-basket"
    ):
        load_model("hippocampus")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no\.toml cannot be read: No such file"):
        load_model(tmp_path / "no.toml")


def test_with_dim_changes_the_dimension_alone() -> None:
    spec = load_model("hippocampus-small")
    assert spec.with_dim(64).ec.dim == 64
    assert spec.with_dim(64).with_dim(spec.ec.dim) == spec


@pytest.mark.parametrize("dim", [0, 7])
def test_with_dim_refuses_what_a_file_may_not_say(dim: int) -> None:
    with pytest.raises((SpecError, ValueError), match="dim"):
        ModelSpec().with_dim(dim)
