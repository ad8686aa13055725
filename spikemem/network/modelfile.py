"""Model files: TOML tables that are found by name, checked key by key, and printed back."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from spikemem._checks import Checks, shown
from spikemem._files import text_of
from spikemem.errors import SpecError

_PACKAGE = Path(__file__).resolve().parent.parent
MODELS = next((p for p in (_PACKAGE / "models", _PACKAGE.parent / "models") if p.is_dir()), _PACKAGE / "models")
"""Where the model files lie: inside the installed package, or beside it in a checkout."""

BARE = re.compile("[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""
FILE = 2**20
"""Bytes of a model file."""
check = Checks(SpecError)
NETWORK = "network"
"""The `kind` of a model file that describes any network; a hippocampus has none."""
Spec = TypeVar("Spec", bound=BaseModel)
Listed = BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)
"""Takes a list, as TOML and JSON have them, for a tuple."""
Count = Annotated[int, Field(ge=1)]


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)  # which pydantic does not export


class _Named(ModelMetaclass):
    """Lets a constructor raise SpecError; `model_validate` raises pydantic's own error, of which a file's message is made."""

    def __call__(self, *given: Any, **values: Any) -> Any:
        try:
            return super().__call__(*given, **values)
        except ValidationError as error:
            raise SpecError(f"{self.__name__}: {problems(error)}") from error


class Section(BaseModel, metaclass=_Named):
    """A table of a model file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def model_files(network: bool) -> list[Path]:
    """The model files that ship with spikemem: of networks where `network` is true, else of hippocampi."""
    return [path for path in sorted(MODELS.glob("*.toml")) if (read(path).get("kind") == NETWORK) == network]


def locate(name_or_path: str | Path, names: Callable[[], list[str]]) -> Path:
    """The model file of a name, or the path itself; SpecError with the known names, which are read then, where there is none."""
    path = check.path(name_or_path, "a model's name or path")
    if path.suffix != ".toml":
        path = MODELS / f"{name_or_path}.toml"
        if not path.is_file():
            raise SpecError(f"no model {str(name_or_path)!r}; there are {', '.join(names())}, or give the path of a .toml file")
    return path


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; SpecError where it cannot be read."""
    try:
        return tomllib.loads(text_of(path, FILE))
    except OSError as error:
        raise SpecError(f"model file {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # of tomllib, and of the decoder
        raise SpecError(f"model file {path} is no valid TOML: {error}") from error


def parsed(kind: type[Spec], table: dict[str, Any], path: Path) -> Spec:
    """A TOML table, validated against a specification class; SpecError naming the key and the mend."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise SpecError(f"model file {path}: {problems(error)}") from error


def problems(error: ValidationError) -> str:
    """What is wrong with a model file, in one line: each key, its value and why."""
    return "; ".join(_problem(e) for e in error.errors())


def _problem(error: object) -> str:
    assert isinstance(error, dict)
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    if error["type"] == "part":  # which names the key within the part itself
        return f"{key}: {error['msg']}"
    return f"{key} = {shown(error['input'])}: {error['msg']}" if key else str(error["msg"])


def to_toml(spec: BaseModel) -> str:
    """A specification with its defaults filled in, as a model file."""
    values = spec.model_dump()
    lines = [f"{key} = {_literal(value)}" for key, value in values.items() if value is not None and not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]", *(f"{_key(k)} = {_literal(v)}" for k, v in value.items() if v is not None)]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _literal(name)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_literal(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)
