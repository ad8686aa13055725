"""The README's examples run, as they stand."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=["five-lines", "chain", "conversation", "gates", "network"])
def test_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if "Memory" in example:
        pytest.importorskip("sentence_transformers", reason="the text extra is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    said = capsys.readouterr().out
    if "brain.db" in example:
        assert said.strip() == "Ada moved to Lisbon in May."
        assert (tmp_path / "brain.db").is_file()
    elif "recall_chain" in example:
        assert said.strip() == "['Rain soaked the insulation in the attic.', 'Mould spread across the nursery ceiling.']"
        assert (tmp_path / "raster.png").stat().st_size > 10_000
    elif "conversation" in example:
        assert "engine" in said
        assert "2024-04-13" in said
        assert (tmp_path / "why.png").stat().st_size > 10_000
    elif "hippocampus-gated" in example:
        assert said.splitlines() == ["write", "write", "renew", "overwrite", "The ferry leaves on Friday.", "[]"]
    else:
        assert (tmp_path / "network.png").stat().st_size > 10_000


def test_first_lines_are_the_two_commands() -> None:
    head = README[:600]
    assert head.index("make demo") < head.index("make test")
