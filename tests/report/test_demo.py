"""The main job: the corpus is what it claims to be, the figures reach their bars, and the report stands on its own."""

import json
import re
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest

from spikemem import load_model
from spikemem.report import demo, report
from spikemem.report.demo import CURVE, HOPS, DemoResult, load_corpus, run
from tests.fakes import FakeEmbedder, engram_small
from tests.fingerprint.test_fingerprint import same, untimed

text = pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="the text extra is not installed")


@pytest.fixture(scope="module")
def result() -> DemoResult:
    from spikemem.memory.embed import SentenceEmbedder

    timed = demo._timed
    with pytest.MonkeyPatch.context() as patch:  # times of a hundred recalls, of which nothing is asked but that they are there
        patch.setattr(demo, "_timed", lambda pair, cues: timed(pair, cues[:100], repeats=1))
        return run(load_model("hippocampus-base"), SentenceEmbedder())


def test_the_corpus_is_as_large_as_promised_and_says_nothing_twice() -> None:
    corpus = load_corpus()
    assert len(corpus.texts) >= 300
    assert len(set(corpus.texts)) == len(corpus.texts)
    assert sum(len(cues) >= 2 for cues in corpus.cues) >= 200
    cues = list(chain.from_iterable(corpus.cues))
    assert len(set(cues)) == len(cues)
    assert not set(cues) & set(corpus.texts)
    assert sum(3 <= len(c) <= 6 for c in corpus.chains) >= 40
    linked = list(chain.from_iterable(corpus.chains))
    assert len(set(linked)) == len(linked)
    assert not set(linked) & set(chain.from_iterable(corpus.changes))
    assert len(corpus.texts) - HOPS - 1 >= 500  # background of a chain


@text
@pytest.mark.slow
def test_the_figures_reach_their_bars(result: DemoResult) -> None:
    figures = json.loads(json.dumps(result.json()))
    assert figures["exact"]["spiking"] == 1
    assert figures["paraphrase"]["spiking"] >= figures["paraphrase"]["rate"] - 0.01
    assert figures["paraphrase_with_variant"]["spiking"] >= 0.95
    assert figures["chain"]["spiking"] == 1
    assert figures["agreement"] >= 0.97
    assert figures["ec_cosine"] >= 0.99
    assert figures["attention_tv"] <= 0.10
    whole, cut, half, silent = (
        figures["ca3"][name] for name in ("none", "recurrent_synapses_cut", "half_of_its_cells_lost", "all_of_its_cells_silent")
    )
    assert whole["right"] >= 0.85
    assert whole["whole"] >= 0.85
    assert cut["whole"] <= whole["whole"] - 0.1  # what makes an engram whole
    assert half["right"] < whole["right"]
    assert silent["right"] == silent["whole"] == 0.0
    distances = [figures["attention_curve"][str(cycles)] for cycles in CURVE]
    assert distances == sorted(distances, reverse=True)


@text
@pytest.mark.slow
def test_the_figures_are_what_they_were(result: DemoResult) -> None:
    same("demo", lambda: untimed(result.json()))


@text
@pytest.mark.slow
def test_the_report_stands_on_its_own(result: DemoResult, tmp_path: Path) -> None:
    page = report.write(result, tmp_path / "new" / "folder").read_text(encoding="utf-8")
    assert "$" not in re.sub(r'src="[^"]*"', "", page)  # every place of the template is filled
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    for row in result.rows:
        assert row.name in page
    pictures = {p.stem for p in (tmp_path / "new" / "folder").glob("*.png")}
    assert pictures == {"rows", "raster", "membrane", "similarity", "attention", "chain", "cost", "attempts"}


def test_a_quick_run_and_a_report_of_engrams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the corpus, in the model in which CA3 recalls: what the report says of index cells is not there."""
    monkeypatch.setattr(demo, "QUICK", (2, 10))
    result = run(engram_small().with_dim(64), FakeEmbedder(64), quick=True)
    assert len(result.corpus.alone) == 10
    assert result.rows[0].spiking == 1
    assert result.attention_curve == {}
    assert "attention_tv" not in result.json()
    page = report.write(result, tmp_path).read_text(encoding="utf-8")
    assert "CA3 recalls" in page
    assert "Attention" not in page
    assert "<!--" not in re.sub(r"<!-- /?engram -->", "", page)
    assert {p.stem for p in tmp_path.glob("*.png")} == {"rows", "raster", "membrane", "chain", "cost", "attempts"}
