"""The laboratory: what its page shows is what was recorded and what the memory holds, and the page works by itself."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from typer.testing import CliRunner

from spikemem import Memory, load_model
from spikemem.cli import app
from spikemem.engrams import variants
from spikemem.errors import MissingExtraError, SpikememError, StoreError
from spikemem.plots.style import SERIES
from spikemem.report import lab
from spikemem.report.lab import experiments, figures, observation
from spikemem.report.lab.experiments import Experiments
from spikemem.report.lab.figures import SPIKE
from spikemem.report.lab.markup import attempts, summary
from spikemem.report.lab.page import data
from tests.fakes import FakeEmbedder, engram_small, units

bokeh = pytest.importorskip("bokeh", reason="the lab extra is not installed")
pytest.importorskip("networkx", reason="the lab extra is not installed")
NASTY = """<img src=x onerror="alert(1)"> </script> it's "so" & so."""
TEXTS = [f"fact {i}" for i in range(12)]
CUE = "fact 3 ~asked"


class Lab(NamedTuple):
    """A memory, what the laboratory saw of it, and the page."""

    memory: Memory
    seen: lab.Observation
    made: Experiments
    page: str


@pytest.fixture(scope="module")
def opened() -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch, Memory.open(model=engram_small(), embedder=FakeEmbedder()) as memory:
        patch.setattr(observation, "MEMBRANES", 4)
        patch.setattr(experiments, "FULL", 60)
        patch.setattr(experiments, "CUES", 2)
        patch.setattr(experiments, "COSINES", (1.0, 0.6))
        ids = memory.store_all([*TEXTS, NASTY])
        memory.associate_all(pairwise(ids[:4]))
        memory.update(ids[11], "fact 11, anew")
        seen = lab.observe(memory, CUE, 3, "<brain>")
        made = experiments.measure(seen)
        yield Lab(memory, seen, made, lab.rendered(seen, made))


SCRIPT = re.compile(r"(<script[^>]*>)(.*?)(</script>)", re.DOTALL)
"""A script ends, for a browser, where it first says so, whatever it holds."""


class Parsed(HTMLParser):
    """The tags of a page with their attributes, and the texts of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.scripts = list[tuple[str, dict[str, str | None]]](), [found[1] for found in SCRIPT.findall(page)]
        self.feed(SCRIPT.sub(r"\1\3", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@cache
def document(page: str, name: str = "recall") -> Any:
    """One of Bokeh's documents of a page, as any reader of it sees it."""
    from bokeh.document import Document

    (found,) = (one for one in json.loads(SCRIPT.findall(page)[1][1]) if one["name"] == name)
    return Document.from_json(found["document"])


@cache
def told(page: str) -> dict[str, Any]:
    """What the page's own script knows."""
    return dict(json.loads(SCRIPT.findall(page)[0][1]))


# -- what it shows ---------------------------------------------------------------------------------------------------------------------


def test_every_spike_is_one_of_the_recall(opened: Lab) -> None:
    recorded = opened.memory.recall(CUE, 3, record=True).recording
    assert recorded is not None
    recall, counts = document(opened.page), told(opened.page)["counts"]
    assert opened.seen.populations == ["ec", "dg", "ca3", "ca1", "ec_deep"]
    for name in opened.seen.populations:
        shown = recall.get_model_by_name(f"spikes {name}").data
        assert len(recorded[name]) > 0
        np.testing.assert_array_equal(shown["time"], recorded[name].step * recorded.dt)
        np.testing.assert_array_equal(shown["cell"], recorded[name].cell)
    for name, spikes in recorded.spikes.items():  # of the boxes of the circuit
        assert counts[name] == np.bincount(spikes.step, minlength=recorded.steps).tolist()


def test_coloured_spikes_are_of_the_engram(opened: Lab) -> None:
    recall, hits = document(opened.page), told(opened.page)["hits"]
    first = opened.seen.hits[0]
    assert first.text == "fact 3"
    for name in opened.seen.populations:
        engram = opened.memory.engram(first.id)["ec" if name == "ec_deep" else name]
        cells = recall.get_model_by_name(f"spikes {name}").data["cell"]
        coloured = recall.get_model_by_name(f"engram {name}").indices
        assert coloured == np.flatnonzero(np.isin(cells, engram)).tolist()
        assert 0 < len(coloured) < len(cells)
    for hit, shown in zip(opened.seen.hits, hits, strict=True):
        assert (shown["id"], shown["text"], shown["latency"]) == (hit.id, hit.text, hit.latency)
        assert shown["engram"]["ca3"] == opened.memory.engram(hit.id)["ca3"].tolist()


def test_an_engram_fires_whole_when_its_memory_came(opened: Lab) -> None:
    """The latency of each attempt is that of the spikes on the page."""
    spikes = opened.seen.recording["ca3"]
    for hit in opened.seen.hits:
        late = opened.seen.latency(hit)
        assert late is not None
        fired = spikes.cell[(spikes.step >= late) & (spikes.step < late + 5)]
        assert set(opened.memory.engram(hit.id)["ca3"].tolist()) <= set(fired.tolist())


def test_membranes_are_those_recorded(opened: Lab) -> None:
    recording, columns = opened.seen.recording, document(opened.page).get_model_by_name("voltages").data
    recorded = told(opened.page)["recorded"]
    assert set(recording.voltages) == set(opened.seen.populations)
    for name, cells in recording.cells.items():
        assert recorded[name] == cells.tolist()
        for j, cell in enumerate(cells.tolist()):
            np.testing.assert_array_equal(columns[f"{name} {cell}"], recording.voltages[name][:, 0, j].astype(np.float32))
    name, cell = told(opened.page)["first"].split()
    assert int(cell) in opened.memory.engram(opened.seen.hits[0].id)[name]
    assert int(cell) in recording[name].cell


def test_a_cell_tells_whose_it_is(opened: Lab) -> None:
    holders = told(opened.page)["holders"]
    for name in ("dg", "ca3"):
        recording = opened.seen.recording
        for cell in np.union1d(recording[name].cell, recording.cells[name]).tolist():
            count, *some = holders[name].get(str(cell), [0])
            known = [i for i in opened.seen.by_id if cell in opened.memory.engram(i)[name]]
            assert count == len(known)
            assert set(some) <= set(known)
            assert len(some) == min(count, 3)


def test_rhythms_are_those_of_ca3(opened: Lab) -> None:
    recall, recording = document(opened.page), opened.seen.recording
    for name, hertz in (("theta", 8.0), ("gamma", 40.0)):
        trace = recall.get_model_by_name(name).data["trace"]
        power = np.abs(np.fft.rfft(trace))
        peak = np.fft.rfftfreq(recording.steps, recording.dt / 1000)[power.argmax()]
        assert abs(peak - hertz) < 3  # theta cycles of 125 ms, gamma cycles of 25 ms


def test_links_and_lifespans_are_those_of_the_memory(opened: Lab) -> None:
    made, ids = (
        {name: document(opened.page, name) for name in ("graph", "lifespans", "overlap")},
        [memory.id for memory in opened.seen.drawn],
    )
    graph, life = made["graph"], made["lifespans"].get_model_by_name("lifespans").data
    links = [(record.id, after) for record in opened.memory.list(history=True) for after in record.links]
    assert len(graph.get_model_by_name("links").data["x0"]) == len(links) == 3
    assert ids == [record.id for record in opened.memory.list(history=True)]
    assert [i for i, now in zip(life["memory"], life["until"], strict=True) if now == "superseded"] == [11]
    shared, at = made["overlap"].get_model_by_name("overlap").data, len(ids) + 2  # row 1, column 2
    both = np.intersect1d(opened.memory.engram(ids[1])["ca3"], opened.memory.engram(ids[2])["ca3"])
    assert (shared["memory"][at], shared["other"][at], shared["shared"][at]) == (ids[1], ids[2], len(both))


def test_looking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "brain.db"
    with Memory.open(path, model="hippocampus-small", embedder=FakeEmbedder()) as memory:
        memory.store_all(TEXTS)
    before = path.read_bytes()
    with Memory.open(path, embedder=FakeEmbedder(), readonly=True) as memory:
        seen = lab.observe(memory)
        assert seen.cue == TEXTS[-1] == seen.hits[0].text
        index = seen.recording["ca1"]
        assert seen.latency(seen.hits[0]) == index.step[index.cell == seen.hits[0].engram["ca1"][0]][0]  # its index cell's first spike
    assert path.read_bytes() == before


def test_an_empty_memory_is_refused() -> None:
    with Memory.open(model="hippocampus-small", embedder=FakeEmbedder()) as memory, pytest.raises(StoreError, match="nothing to look at"):
        lab.observe(memory)


def test_the_latest_and_the_recalled_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "MOST", 5)
    monkeypatch.setattr(observation, "DRAWN", 4)
    with Memory.open(model="hippocampus-small", embedder=FakeEmbedder()) as memory:
        memory.store_all(TEXTS)
        seen = lab.observe(memory, CUE, 1)
    assert [m.id for m in seen.memories] == [3, 8, 9, 10, 11]
    assert [m.id for m in seen.drawn] == [3, 9, 10, 11]
    assert seen.together.shape == (4, 4)
    assert seen.stored == 12


# -- the experiments -------------------------------------------------------------------------------------------------------------------


def test_completion_is_recurrence(opened: Lab) -> None:
    """What the curve shows falls where the recurrent synapses are cut."""
    assert opened.made.completion.mean[1, 1] == 1.0  # at a cosine of .6
    hippocampus = opened.seen.hippocampus
    hippocampus.cut("ca3->ca3")
    try:
        x = np.array([memory.vector for memory in opened.seen.drawn[:2]])
        engrams = [memory.engram["ca3"] for memory in opened.seen.drawn[:2]]
        cut = experiments.completion_curve(experiments.FirstCycle(hippocampus), x, engrams, (0.4,))
        assert cut.mean[1, 0] < 0.95
    finally:
        hippocampus.restore()


def test_dg_separates(opened: Lab) -> None:
    found = opened.made.separation
    assert found.names == ("ec", "dg", "ca3")
    np.testing.assert_allclose(found.mean[:, 0], 1.0)  # of equal cues
    assert found.mean[1, 1] < 0.6 < found.mean[0, 1] + 0.1  # at a cosine of .6 DG lies below the cues' own, EC at it


def test_memories_that_come_together_are_those_recalled(opened: Lab) -> None:
    ids = [memory.id for memory in opened.seen.drawn]
    for row, memory in list(zip(opened.seen.together, opened.seen.drawn, strict=True))[:3]:
        recalled = {hit.id for hit in opened.memory.recall(memory.text, observation.TOGETHER)}
        assert {i for i, came in zip(ids, row, strict=True) if came} == recalled
    np.testing.assert_array_equal(opened.made.graph.together, opened.seen.together.T.astype(int) @ opened.seen.together)


def test_capacity_counts_what_comes_first(opened: Lab) -> None:
    found = opened.made.capacity
    n = len(opened.seen.memories)
    assert found.stored.tolist() == [n, 2 * n, 4 * n]
    assert (np.diff(found.density) > 0).all()
    assert ((found.low <= found.right) & (found.right <= found.high)).all()
    own, spec = units(n, 3), opened.seen.hippocampus.spec
    first = experiments.plain(spec, own).recall(variants(own, experiments.COSINE), top_k=1).ids[:, 0]
    assert experiments.capacity(spec, own).right[0] == (first == np.arange(n)).mean()


def test_drift_is_of_dg_alone_in_an_engram_model(opened: Lab) -> None:
    found = opened.made.drift
    assert (found["ca3"].kept == 1).all()
    assert 0.5 < found["dg"].kept[-1] < found["dg"].kept[0] < 1


# -- the page --------------------------------------------------------------------------------------------------------------------------


def test_the_page_stands_by_itself(opened: Lab) -> None:
    parsed = Parsed(opened.page)
    targets = [value for _, attrs in parsed.tags for name, value in attrs.items() if name in ("src", "href", "srcset", "action")]
    ids = {attrs["id"] for _, attrs in parsed.tags if "id" in attrs}
    assert targets
    assert all(t == "data:," or (t is not None and t.startswith("#") and t[1:] in ids) for t in targets)
    assert len([attrs for _, attrs in parsed.tags if "id" in attrs]) == len(ids)  # each is there once
    assert len(opened.page.encode()) < 10_000_000
    roots = [place for one in json.loads(parsed.scripts[1]) for place in one["roots"].values()]
    assert len(roots) == 5 + 2 + 1 + 7
    assert set(roots) <= ids


def test_texts_are_never_markup(opened: Lab) -> None:
    parsed = Parsed(opened.page)
    assert len(parsed.scripts) == 4
    assert not [tag for tag, _ in parsed.tags if tag == "img"]
    assert told(opened.page)["texts"]["12"] == NASTY
    assert "<brain>" not in opened.page
    assert "&lt;brain&gt;" in opened.page


def test_the_circuit_has_every_population_and_projection(opened: Lab) -> None:
    drawn = opened.page[opened.page.index("<svg") : opened.page.index("</svg>")]
    net = opened.seen.hippocampus.network
    assert set(re.findall(r'id="count-(\w+)"', drawn)) == set(net.populations)
    assert [f"{p.pre} to {p.post}: {p.synapses.count:,} synapses, {p.delay:g} ms" for p in net.projections] == re.findall(
        r"<g><title>(.*?)</title>", drawn
    )
    for name in ("ec", "dg", "ca3"):
        assert f'id="count-{name}">{len(opened.seen.recording[name]):,} spikes<' in drawn


def test_figures_are_told_in_words(opened: Lab) -> None:
    parsed = Parsed(opened.page)
    plots = [attrs for _, attrs in parsed.tags if attrs.get("class") == "plot"]
    assert len(plots) == 15
    for plot in plots:
        assert plot["role"] == "img"
        assert len(plot["aria-label"] or "") > 40
    assert len({plot["aria-label"] for plot in plots}) == 15
    table = re.search(r'id="capacity".*?<table>(.*?)</table>', opened.page, re.DOTALL)
    assert table
    assert [f"{n:,}" for n in opened.made.capacity.stored] == re.findall(r"<tr><td>([\d,]+)</td>", table[1])


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(a: str, b: str = "#ffffff") -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_enough(opened: Lab) -> None:
    named = dict(re.findall(r"--(\w+): (#\w{6})", opened.page))
    paper = named.pop("paper")
    named.pop("line")
    silent = re.search(r"\.silent rect \{ fill: (#\w{6})", opened.page)
    assert silent
    for shade in (*named.values(), *SERIES, silent[1]):  # of texts, or behind white ones
        assert contrast(shade) >= 4.5, shade
    assert all(contrast(shade, paper) >= 4.5 for shade in named.values())
    assert contrast(SPIKE) >= 3  # of what is drawn
    assert "#26aae1" not in opened.page  # Bokeh's own, under the pointer


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Lab) -> None:
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(MissingExtraError, match=r'"lab" extra: pip install "spikemem\[lab\]"'):
        lab.write(opened.seen, tmp_path / "lab.html")
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_is_one_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Lab) -> None:
    monkeypatch.setattr("spikemem.report.lab.page.measure", lambda seen, stage: opened.made)
    monkeypatch.setattr("spikemem.report.lab.page.rendered", lambda seen, made: opened.page)
    with pytest.raises(SpikememError, match="cannot be written"):
        lab.write(opened.seen, tmp_path / "no folder" / "lab.html")


def test_a_recall_without_a_memory_is_told(opened: Lab) -> None:
    nothing = replace(opened.seen, hits=[])
    assert (summary(nothing), attempts(nothing)) == ("No memory came.", "<p>No memory came.</p>")
    assert data(nothing)["hits"] == []
    assert "of which 0 are" in figures.raster(nothing, "ca3", figures.timeline(nothing)).text
    withheld = summary(replace(opened.seen, withheld=True))
    assert withheld.startswith("The read gate lets nothing out. What came nearest is “fact 3” after 120 ms")


@pytest.mark.slow
def test_the_command_writes_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    for name, few in {"FULL": 20, "CUES": 2, "COSINES": (1.0, 0.6), "SLEEPS": 1}.items():
        monkeypatch.setattr(experiments, name, few)
    monkeypatch.chdir(tmp_path)
    missing = CliRunner().invoke(app, ["lab", "brain.db"])
    assert (missing.exit_code, "store something first" in missing.stderr) == (2, True)
    with Memory.open("brain.db", model="hippocampus-small") as memory:
        memory.store_all(TEXTS)
    made = CliRunner().invoke(app, ["lab", "brain.db", "--cue", CUE, "--out", "page.html", "--top-k", "2"])
    assert made.exit_code == 0, made.stderr
    assert "laboratory: page.html" in made.stdout
    page = Path("page.html").read_text(encoding="utf-8")
    assert told(page)["hits"][0]["text"] == "fact 3"
    assert len(told(page)["hits"]) == 2


def test_vectors_alone_can_be_looked_at() -> None:
    from spikemem import Hippocampus

    hippocampus, vectors = Hippocampus(load_model("hippocampus-small")), units(12)
    hippocampus.store(vectors)
    seen = lab.observe_vectors(hippocampus, TEXTS, vectors, "the cue", vectors[4])
    assert seen.hits[0].text == "fact 4"
    assert seen.together.diagonal().all()
    assert data(seen)["hits"][0]["engram"]["ca3"] == hippocampus.engram(4)["ca3"].tolist()
    assert figures.recall(seen)[-1].name == "membrane"


CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
ACTIONS = """
<script>
const wait = setInterval(() => {
  if (document.documentElement.dataset.ready !== "yes") return;
  clearInterval(wait);
  const doc = Bokeh.documents[0], time = doc.get_model_by_name("time"), log = {}, all = [time.start, time.end];
  const key = (name, shiftKey = false) => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: name, shiftKey, bubbles: true}));
  key("+"); log.zoomed = [time.start, time.end];
  key("0"); log.all = [time.start, time.end];
  key("t"); log.theta = [time.start, time.end];
  key("t"); log.next = [time.start, time.end];
  key("T", true); log.back = [time.start, time.end];
  document.querySelector("[data-do=all]").click(); log.again = [time.start, time.end];
  key("2"); log.engram = Array.from(doc.get_model_by_name("engram ca3").indices);
  log.chosen = document.querySelector("input[name=attempt]:checked").value;
  const choice = document.getElementById("population"); choice.value = "dg"; choice.dispatchEvent(new Event("change"));
  log.membrane = doc.get_model_by_name("membrane").y.field;
  setTimeout(() => {
    log.window = document.getElementById("window").textContent;
    log.count = document.getElementById("count-dg").textContent;
    log.silent = window.lab.memories("ca3", -1);
    const out = document.createElement("output"); out.id = "log"; out.textContent = JSON.stringify(log); document.body.append(out);
  }, 400);
}, 50);
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_page_works_in_a_browser(opened: Lab, tmp_path: Path) -> None:
    """Keys and clicks do what they say, and nothing is wrong in the console."""
    path = tmp_path / "lab.html"
    path.write_text(opened.page.replace("</body>", ACTIONS), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path / 'profile'}"]
    run = subprocess.run(
        [str(CHROMIUM), *options, "--virtual-time-budget=30000", "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=240
    )  # fmt: skip
    assert not re.findall(r"CONSOLE.*(?:ERROR|Uncaught).*", run.stderr), run.stderr
    found = re.search(r'<output id="log">(.*?)</output>', run.stdout)
    assert found, run.stderr[-2000:]
    log, whole = json.loads(found[1].replace("&amp;", "&")), [0, opened.seen.recording.steps]
    assert log["all"] == log["again"] == whole
    assert log["zoomed"] == [whole[1] / 4, 3 * whole[1] / 4]
    assert log["theta"] == log["back"] == [0, 125]
    assert log["next"] == [125, 250]
    assert log["chosen"] == "1"
    second = opened.memory.engram(opened.seen.hits[1].id)["ca3"]
    assert log["engram"] == np.flatnonzero(np.isin(opened.seen.recording["ca3"].cell, second)).tolist()
    assert log["membrane"].startswith("dg ")
    assert f"of memory {opened.seen.hits[1].id}" in log["window"]
    assert log["count"] == f"{len(opened.seen.recording['dg']):,} spikes"
    assert log["silent"] == "in no engram of those on this page"
