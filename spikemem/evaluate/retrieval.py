"""Recall on public data sets: every system on the same texts and questions, measured as the papers measure, side by side in one run."""

import itertools
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks, shown
from spikemem.data.datasets import Task
from spikemem.errors import DataError, UnsupportedError
from spikemem.evaluate.baselines import BM25, Cosine, Faiss, Neighbours, Sum, System, Vectors, by_z
from spikemem.evaluate.compare import wilson
from spikemem.evaluate.saved import Saved, TaskResult, number
from spikemem.evaluate.saved import make_folder as make_folder
from spikemem.evaluate.saved import write as write
from spikemem.evaluate.systems import ENGRAMS, MemorySystem
from spikemem.hippocampus.spec import load_model
from spikemem.memory.embed import Progress

check = Checks(DataError)
RESULTS = Path("results")
TOP = 10
"""How many texts each question recalls, for the figures and the timing; figures of sessions need all."""
ROUNDS, BATCH = 5, 100
"""Timed batches of each system, and the questions in one; those of a small task again and again."""


class TextVectors(Protocol):
    """An embedder with a name, such as `CachedEmbedder`."""

    name: str

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]: ...


TASKS, SYSTEM = "give one of spikemem.data", "give a System, such as Cosine()"
SYSTEM_MAKER = "give a function that makes a System, such as Cosine"


def _system(value: Any, name: str) -> System:
    """A system, which anybody's class may be."""
    if isinstance(value, type) or not all(callable(getattr(value, verb, None)) for verb in ("fit", "rank")) or not hasattr(value, "name"):
        raise check.error(f"{name} is {shown(value)}; {SYSTEM}")
    check.text(value.name, f"the name of {name}")
    return value


def systems() -> list[Callable[[], System]]:
    """A factory for each system that is measured: the baselines (faiss where it is installed), then ours."""
    faiss: list[Callable[[], System]] = [Faiss, lambda: Faiss("HNSW32")] if find_spec("faiss") else []
    baselines: list[Callable[[], System]] = [
        Cosine,
        *faiss,
        BM25,
        lambda: BM25(1.2, 0.75),
        Sum,
        lambda: Sum(by_z),
        lambda: Neighbours(Sum()),
    ]
    twin = [lambda: MemorySystem(rate=True), lambda: MemorySystem(rate=True, plain=True)]
    ours: list[Callable[[], System]] = [
        MemorySystem,
        lambda: MemorySystem(model=load_model(ENGRAMS)),
        *twin,
        lambda: MemorySystem(plain=True),
    ]
    return baselines + ours


BASELINES = frozenset(
    {
        "cosine",
        "faiss Flat",
        "faiss HNSW32",
        "BM25 (0.9, 0.4)",
        "BM25 (1.2, 0.75)",
        "cosine + BM25, max",
        "cosine + BM25, z",
        "cosine + BM25, max, with neighbours",
    }
)
"""The names of those that are not ours."""


@dataclass(frozen=True)
class Measure:
    """One figure of a question, in [0, 1], from the first k answers and the set of right ones.

        hit = 1 if a right one is among the k, else 0          fraction: right ones among the k / right ones

    sessions: answers are sessions, each at the place of its best text, and right are the sessions of the right texts.
    """

    name: str
    k: int
    fraction: bool = False
    sessions: bool = False

    def of(self, found: Sequence[int], right: frozenset[int]) -> float:
        """The figure of one question, whose answers are `found`, best first."""
        among = len(right.intersection(found[: self.k]))
        return among / len(right) if self.fraction else float(among > 0)


HITS = tuple(Measure(f"hit@{k}", k) for k in (1, 5, 10))
PASSAGES = tuple(Measure(f"recall@{k}", k, fraction=True) for k in (2, 5))
MEASURES: dict[str, tuple[Measure, ...]] = {
    "LoCoMo": (*HITS, *(Measure(f"session hit@{k}", k, sessions=True) for k in (1, 5))),
    "LongMemEval": tuple(Measure(f"session recall@{k}", k, fraction=True, sessions=True) for k in (1, 5, 10)),
    "HotpotQA": PASSAGES,
    "MuSiQue": PASSAGES,
    "STS-B": (Measure("top 1", 1),),
    "MRPC": (Measure("top 1", 1),),
    "BANKING77": (Measure("accuracy", 1),),
}
"""What each data set is measured by; any other by `HITS`."""
MAIN = {"LoCoMo": "hit@5", "LongMemEval": "session recall@5", "HotpotQA": "recall@5", "MuSiQue": "recall@5"}
"""The figure that is split by kinds of question, where it is not the first."""


def measures(dataset: str) -> tuple[Measure, ...]:
    """How a data set is measured: as its paper does, or by hits."""
    return MEASURES.get(check.instance(dataset, "dataset", str, "give the name of a data set"), HITS)


@dataclass(frozen=True)
class RetrievalRow:
    """One system on one data set, all its tasks together.

    n: questions.   shares: the mean of each measure.   kinds: for each kind of question how many, and the means.
    events: synaptic events a question, NaN where there are none to count.   ms: a question's, in a batch, embedding apart.
    """

    dataset: str
    system: str
    n: int
    shares: dict[str, float]
    kinds: dict[str, tuple[int, dict[str, float]]] = field(default_factory=dict)
    events: float = math.nan
    ms: float = math.nan

    def interval(self, measure: str) -> tuple[float, float]:
        """The measure's 95 % interval over questions (Wilson); for fractions it is too wide rather than too narrow."""
        return wilson(self.shares[measure], self.n)

    def json(self) -> dict[str, Any]:
        intervals = {name: [round(x, 4) for x in self.interval(name)] for name in self.shares}
        return asdict(self) | {"intervals": intervals, "events": number(self.events), "ms": number(self.ms)}


def found(task: Task, ranks: NDArray[np.int64], sessions: bool = False) -> list[list[int]]:
    """For each question its answers, best first, without its own copy; texts, or sessions at the place of their best text.

    ranks: as `System.rank` gives them.

    >>> task = Task.of("mine", "talk", ["a", "b", "c"], [("?", {2}, "")], sessions=[7, 7, 8], leave_out=[0])
    >>> found(task, np.array([[0, 1, 2, -1]])), found(task, np.array([[0, 1, 2, -1]]), sessions=True)
    ([[1, 2]], [[7, 8]])
    """
    check.instance(task, "task", Task, TASKS)
    ranks = check.indices(ranks, "ranks", len(task.texts), shape=(len(task.questions), None), least=-1)
    sessions = check.flag(sessions, "sessions")
    rows = [[i for i in row if i >= 0 and i != own] for row, own in zip(ranks.tolist(), task.leave_out, strict=True)]
    return [list(dict.fromkeys(_session(task, i) for i in row)) for row in rows] if sessions else rows


def _session(task: Task, text: int) -> int:
    session = task.sessions[text]
    if session is None:
        raise UnsupportedError(f"{task.dataset}, {task.name}: text {text} belongs to no session; measure texts instead")
    return session


def measure(task: Task, system: System) -> TaskResult:
    """Ask a fitted system every question of the task."""
    check.instance(task, "task", Task, TASKS)
    _system(system, "system")
    scores: dict[str, list[float]] = {}
    wanted = measures(task.dataset)
    own = any(i >= 0 for i in task.leave_out)
    ranks = system.rank(task.questions, TOP + own)
    events = system.events
    if any(m.sessions for m in wanted):
        right = [frozenset(_session(task, i) for i in gold) for gold in task.gold]
        everything = found(task, system.rank(task.questions, len(task.texts)), sessions=True)
    texts = found(task, ranks)
    for m in wanted:
        answers, gold = (everything, right) if m.sessions else (texts, task.gold)
        scores[m.name] = [m.of(a, g) for a, g in zip(answers, gold, strict=True)]
    return TaskResult(scores, events)


def timed(fitted: Sequence[System], questions: Sequence[str]) -> list[float]:
    """Milliseconds a question of each system: the median of several batches, the systems taking turns, after a warm-up."""
    fitted = [_system(system, "an item of fitted") for system in check.listed(fitted, "fitted", "systems")]
    questions = check.instances(questions, "questions", str, "give at least one text")
    batch = list(itertools.islice(itertools.cycle(questions), BATCH))
    seconds: list[list[float]] = [[] for _ in fitted]
    for _ in range(1 + ROUNDS):
        for system, spent in zip(fitted, seconds, strict=True):
            start = time.perf_counter()
            system.rank(batch, TOP)
            spent.append(time.perf_counter() - start)
    return [1e3 * float(np.median(spent[1:])) / len(batch) for spent in seconds]


def run(
    tasks: Sequence[Task],
    embedder: TextVectors,
    out: Path = RESULTS,
    makers: Iterable[Callable[[], System]] | None = None,
    fresh: bool = False,
    progress: Progress = lambda done, total: None,
    stage: Callable[[str], None] = lambda name: None,
) -> list[RetrievalRow]:
    """Every system on every task; a row for each system on each data set.

    Answers are saved as they are made, in out/retrieval/, and a run that was broken off goes on where it was; they hold for the task, the
    embedder and the code that they were made with, and for nothing else.   makers: `systems()` by default.
    fresh: measure all anew.   stage: called with the name of what begins.   progress: called with the steps done, and all.
    """
    out, fresh = check.path(out, "out"), check.flag(fresh, "fresh")
    tasks = [check.instance(task, "an item of tasks", Task, TASKS) for task in check.listed(tasks, "tasks", "tasks")]
    tasks = [task for task in tasks if task.questions]
    if not callable(getattr(embedder, "embed", None)):
        raise check.error(f"embedder is {shown(embedder)}; give one with a name and embed(texts), such as a CachedEmbedder")
    check.text(getattr(embedder, "name", None), "the name of embedder")
    factories = systems() if makers is None else check.listed(makers, "makers", "functions that make systems")
    everyone = [_system(check.instance(make, "an item of makers", Callable, SYSTEM_MAKER)(), "what makers make") for make in factories]
    names = [system.name for system in everyone]
    if len(set(names)) < len(names):
        raise UnsupportedError(f"two systems share a name: {', '.join(n for n, c in Counter(names).items() if c > 1)}")
    texts = dict.fromkeys(text for task in tasks for text in (*task.embedded, *task.questions, *(c for cues in task.cues for c in cues)))
    stage("embedding")
    embedder.embed(list(texts), progress)
    outcomes = []
    steps = len(tasks) * len(everyone)
    for i, task in enumerate(tasks):
        saved = Saved(out / "retrieval", task, embedder.name, fresh)
        if not saved.complete(names):
            for j, system in enumerate(everyone):
                stage(f"{task.dataset}: {system.name}")
                progress(i * len(everyone) + j, steps)
                _one(task, system, embedder.embed, saved)
            saved.time(dict(zip(names, timed(everyone, task.questions), strict=True)))
        progress((i + 1) * len(everyone), steps)
        outcomes.append((task, {name: saved.outcomes[name] for name in names}))
    return pooled(outcomes)


def _one(task: Task, system: System, vectors: Vectors, saved: "Saved") -> None:
    """Fit a system, and have its answers in `saved`."""
    system.fit(task, vectors)
    if system.name not in saved.outcomes:
        saved.add(system.name, measure(task, system))


def _outcome(pair: Any) -> tuple[Task, dict[str, TaskResult]]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise check.error(f"an item of outcomes is {shown(pair)}; give a task and its results by system")
    task, results = check.instance(pair[0], "a task of outcomes", Task, TASKS), check.named(pair[1], "what came of a task", "results")
    return task, {name: check.instance(result, name, TaskResult, "give one of `measure`") for name, result in results.items()}


def pooled(outcomes: Sequence[tuple[Task, Mapping[str, TaskResult]]]) -> list[RetrievalRow]:
    """Rows from the outcomes of tasks: a data set's questions count alike, whatever task they are from."""
    outcomes = [_outcome(pair) for pair in check.listed(outcomes, "outcomes", "pairs of a task and its results by system")]
    rows = []
    for dataset in dict.fromkeys(task.dataset for task, _ in outcomes):
        own = [(task, by_system) for task, by_system in outcomes if task.dataset == dataset]
        weights = [len(task.questions) for task, _ in own]
        kinds = np.array([kind for task, _ in own for kind in task.kind])
        for name in own[0][1]:
            made = [by_system[name] for _, by_system in own]
            scores = {m.name: np.array([s for o in made for s in o.scores[m.name]]) for m in measures(dataset)}
            by_kind = {
                kind: (int((kinds == kind).sum()), {m: float(s[kinds == kind].mean()) for m, s in scores.items()})
                for kind in sorted(set(kinds.tolist()) - {""})
            }
            shares = {m: float(s.mean()) for m, s in scores.items()}
            events, ms = (float(np.average([getattr(o, what) for o in made], weights=weights)) for what in ("events", "ms"))
            rows.append(RetrievalRow(dataset, name, sum(weights), shares, by_kind, events, ms))
    return rows


def short(share: float) -> str:
    """A share to three places.

    >>> short(0.1849), short(1.0)
    ('.185', '1.000')
    """
    return f"{check.number(share, 'share'):.3f}".removeprefix("0")


def table(rows: Sequence[RetrievalRow]) -> tuple[list[str], list[list[str]]]:
    """Heading and lines of one data set's rows: shares with their intervals, events and ms a question."""
    rows, lines = check.instances(rows, "rows", RetrievalRow, "give those of `run`"), []
    names = list(rows[0].shares)
    for row in rows:
        shares = ["{} [{}, {}]".format(*map(short, (row.shares[m], *row.interval(m)))) for m in names]
        lines.append([row.system, *shares, "" if math.isnan(row.events) else f"{row.events:,.0f}", f"{row.ms:.3f}"])
    return ["system", *names, "events", "ms"], lines


def by_kind(rows: Sequence[RetrievalRow]) -> tuple[list[str], list[list[str]]]:
    """Heading and lines of one data set's main figure, kind by kind of question; no lines where there are not 2 to 10 kinds."""
    rows = check.instances(rows, "rows", RetrievalRow, "give those of `run`")
    main, kinds = MAIN.get(rows[0].dataset, next(iter(rows[0].shares))), rows[0].kinds
    if not 2 <= len(kinds) <= 10:
        return [], []
    heading = [main, *(f"{kind} ({n})" for kind, (n, _) in kinds.items())]
    return heading, [[row.system, *(short(row.kinds[kind][1][main]) for kind in kinds)] for row in rows]


def load(file: Path) -> list[RetrievalRow]:
    """Rows that were written as JSON."""
    file = check.path(file, "file")
    try:
        made = json.loads(file.read_text(encoding="utf-8"))
        kinds = [{kind: (int(n), shares) for kind, (n, shares) in row["kinds"].items()} for row in made]
        cost = [{what: math.nan if row[what] is None else float(row[what]) for what in ("events", "ms")} for row in made]
        return [
            RetrievalRow(row["dataset"], row["system"], row["n"], row["shares"], k, **c)
            for row, k, c in zip(made, kinds, cost, strict=True)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"{file} holds no rows of a run ({type(error).__name__}: {error}); make it anew") from error


def datasets_of(rows: Sequence[RetrievalRow]) -> list[list[RetrievalRow]]:
    """The rows, data set by data set."""
    rows = check.instances(rows, "rows", RetrievalRow, "give those of `run`")
    return [[row for row in rows if row.dataset == name] for name in dict.fromkeys(row.dataset for row in rows)]


def markdown(rows: Sequence[RetrievalRow]) -> str:
    """The rows as Markdown: for each data set a heading, its table, and its main figure by kind of question."""
    parts = []
    for own in datasets_of(rows):
        parts.append(f"## {own[0].dataset}, n = {own[0].n:,}\n")
        for heading, lines in (table(own), by_kind(own)):
            if lines:
                rule = [":--", *["--:"] * (len(heading) - 1)]
                parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in (heading, rule, *lines)) + "\n")
    return "\n".join(parts)
