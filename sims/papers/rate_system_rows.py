"""Every row that the rate system published, by the spiking circuit and by its rate twin: recall, chains, capacity, noise, settling, speed.

    python sims/papers/rate_system_rows.py
    python sims/papers/rate_system_rows.py --rows recall chains --trials 100 --out results/some_rows.json

Memories are sentences of the demo corpus and, since it has 720, others composed from word lists (`spikemem.data.corpus.background`),
or those of STS-B where --sts is given. What a row asks:

    recall    20 pairs over 2,000 background memories: the exact cue, a paraphrase that was not stored, the same one where another
              paraphrase was stored with the memory. Each trial is one pair, 20 pairs a memory.
    chains    three and six hops from an exact cue, 20 chains over 500 background memories that are linked, too, right at every hop
    random    20,000 random vectors, all linked into one chain: exact cues, chains
    large     20,000 other sentences and the corpus, all linked into one chain: exact cues, the paraphrases of `recall`, chains, speed
    noise     20 pairs over 0 to 1,000 background memories: the vector with Gaussian noise, and the paraphrase that was not stored
    settle    5 pairs over 5 to 1,000 background memories. Spiking: CA3 completes a code of which 30 % of the cells are wrong, and CA1
              answers on CA3 alone. Rate: the Hopfield settle of a vector of which 30 % of the dimensions are another vector's
    encoder   the cosine between a vector and what EC's spikes decode to

Follows the published evaluation of the rate system (NuoNuo); its figures stand beside ours. Rows are saved as they are made, and a run
with the same arguments makes those that are missing. Prints a table with 95 % intervals (Wilson 1927); analysis/papers/rate_system_rows.py
draws it.
"""

import argparse
import csv
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rate_table import Results, Row, Tally, Trials, quantity
from rich.console import Console
from rich.progress import Progress

from spikemem import Hippocampus, ModelSpec, RateHippocampus, load_model
from spikemem.data.corpus.background import compose
from spikemem.evaluate.compare import Pair
from spikemem.memory.embed import SentenceEmbedder
from spikemem.report.demo import load_corpus, round_trip

PAIRS = 20
"""Pairs a memory, as published; chains a memory, too."""
HOPS = (3, 6)
"""As published."""
CHAIN_BACKGROUND = 500
"""As published."""
NOISE_BACKGROUND = (0, 100, 500, 1000)
"""As published."""
SETTLE_BACKGROUND = (5, 10, 100, 1000)
"""The published settle failed beyond 10; the noise rows go to 1,000."""
SETTLE_PAIRS = 5
"""As published."""
SETTLE_PUBLISHED = {5: 0.2, 100: 0.0, 1000: 0.0}
"""20 % for 5 pairs, 0 % beyond 10 background memories; at 10 itself none is stated."""
NOISY_COSINE = 0.9
"""Of the noisy cue and the vector stored. No noise level was published; this one is milder than what a paraphrase does to a vector
(`statement and paraphrase` in the table), which is why the paraphrase stands beside it."""
WRONG = 0.3
"""Share of a code's cells that are replaced: as in sims/memory/cue_noise.py."""
TIMED = 50
"""Recalls timed one by one, and recalls in a batch; medians are reported."""
TIMED_BATCHES = 5
JOBS = ("recall", "chains", "noise", "settle", "encoder", "random", "large")
Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-base")
parser.add_argument("--rows", nargs="+", choices=JOBS, default=list(JOBS), help="which to make; all by default")
parser.add_argument("--trials", type=int, default=200, help="trials a row, rounded up to whole memories")
parser.add_argument("--background", type=int, default=2000, help="background memories of `recall`")
parser.add_argument("--large", type=int, default=20_000, help="random vectors of `random`, other sentences of `large`")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--sts", action="store_true", help="STS-B's sentences instead of composed ones, as far as they go")
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")), help="for --sts")
parser.add_argument("--fresh", action="store_true", help="forget the rows made before")
parser.add_argument("--out", type=Path, default=Path("results/rate_system_rows.json"))


@dataclass(eq=False)
class Bench:
    """What the jobs share: the model, the sentences as vectors, and the bar that shows how far a job is."""

    args: argparse.Namespace
    bar: Progress
    spec: ModelSpec = field(init=False)

    def __post_init__(self) -> None:
        self.spec = load_model(self.args.model)
        self.corpus = load_corpus()
        self.task = self.bar.add_task("", total=1)

    def track(self, n: int, what: str) -> Iterator[int]:
        self.bar.reset(self.task, total=n, description=what)
        for i in range(n):
            yield i
            self.bar.advance(self.task)

    @property
    def nearby(self) -> int:
        """Other sentences that all jobs but `large` draw from."""
        return max(self.args.background, *NOISE_BACKGROUND, *SETTLE_BACKGROUND, CHAIN_BACKGROUND)

    @cached_property
    def embedded(self) -> tuple[Vectors, Vectors, Vectors]:
        """The corpus' statements [720, d], their cues [720, 2, d], and the other sentences [n, d]."""
        needed = max(self.nearby, self.args.large if "large" in self.args.rows else 0)
        others = sts_sentences(self.args.data)[:needed] if self.args.sts else []
        others += compose(needed - len(others), self.args.seed)
        paraphrases = [cue for cues in self.corpus.cues for cue in cues]
        texts = [*self.corpus.texts, *paraphrases, *others]
        self.bar.reset(self.task, total=len(texts), description="embedding")
        vectors = SentenceEmbedder().embed(texts, lambda done, total: self.bar.update(self.task, completed=done))
        self.spec = self.spec.with_dim(vectors.shape[1])
        first, second = len(self.corpus.texts), len(self.corpus.texts) + len(paraphrases)
        return vectors[:first], vectors[first:second].reshape(first, 2, -1), vectors[second:]

    def memories(self, pairs: int, what: str) -> Iterator[tuple[int, Ids]]:
        """For each memory of a row its seed and the statements that are its pairs; none twice before all have been."""
        alone, n = np.array(self.corpus.alone), -(-self.args.trials // pairs)
        passes = [np.random.default_rng([self.args.seed, i]).permutation(alone) for i in range(1 + n * pairs // len(alone))]
        a_pass = len(alone) // pairs
        for i in self.track(n, what):
            yield 1000 * self.args.seed + i, passes[i // a_pass][i % a_pass * pairs :][:pairs]

    def background(self, n: int, chosen: Ids, rng: np.random.Generator) -> Vectors:
        """n other memories: the rest of the corpus first, which is nearest to the pairs, then other sentences."""
        statements, _, others = self.embedded
        rest = rng.permutation(np.setdiff1d(np.arange(len(statements)), chosen))[:n]
        return np.concatenate([statements[rest], others[rng.choice(self.nearby, n - len(rest), replace=False)]])


def sts_sentences(data: Path) -> list[str]:
    """The sentences of STS-B's training part (Cer 2017), each once."""
    path = data / "stsbenchmark/sts-train.csv"
    if not path.is_file():
        raise SystemExit(f"no {path}; give --data or set SPIKEMEM_DATA (docs/data.md says where to get it), or leave out --sts")
    with path.open(encoding="utf-8") as file:
        return list(dict.fromkeys(s for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) for s in row[5:7]))


def right(pair: Pair, cues: Vectors, expected: Ids) -> Trials:
    """In which trials the first answer is the expected memory, spiking and rate."""
    answers = pair.first(cues)
    return answers.spiking.ids[:, 0] == expected, answers.rate.ids[:, 0] == expected


def recall(bench: Bench) -> list[Row]:
    """The exact cue, and a paraphrase with and without another one stored."""
    statements, cues, _ = bench.embedded
    tally, ids, n = Tally(), np.arange(PAIRS), bench.args.background
    for seed, chosen in bench.memories(PAIRS, "recall"):
        vectors = np.concatenate([statements[chosen], bench.background(n, chosen, np.random.default_rng([seed, 1]))])
        plain = Pair.of(bench.spec, vectors, seed=seed)
        tally.add("exact", right(plain, statements[chosen], ids))
        tally.add("paraphrase", right(plain, cues[chosen, 1], ids))
        variants = [*cues[chosen, :1], *[None] * n]
        tally.add("variant", right(Pair.of(bench.spec, vectors, variants, seed=seed), cues[chosen, 1], ids))
    over = f"over {n:,}"
    return [
        tally.row("exact", f"exact cue {over}", 1.0, 1.0),
        tally.row("paraphrase", f"paraphrase, none stored, {over}", 0.7, None),
        tally.row("variant", f"paraphrase, another stored, {over}", 0.95, 0.95, 0.92),
    ]


def chains(bench: Bench) -> list[Row]:
    """Hops of sentences drawn at random, over background memories that are linked to one another."""
    length = max(HOPS) + 1
    ids = np.arange(PAIRS * length).reshape(PAIRS, length)
    total, tally = ids.size + CHAIN_BACKGROUND, Tally()
    links = [*zip(ids[:, :-1].ravel().tolist(), ids[:, 1:].ravel().tolist(), strict=True), *itertools.pairwise(range(ids.size, total))]
    for i in bench.track(-(-bench.args.trials // PAIRS), "chains"):
        rng = np.random.default_rng([bench.args.seed, i, 2])
        vectors = rng.permutation(bench.background(total, np.zeros(0, np.int64), rng))
        pair = Pair.of(bench.spec, vectors, links=links, seed=1000 * bench.args.seed + i)
        followed = [memory.recall_chain(vectors[ids[:, 0]], max(HOPS)) == ids[:, 1:] for memory in (pair.spiking, pair.rate)]
        tally.chains(HOPS, *followed)
    return [tally.row(f"{hops}", f"{hops} hops over {CHAIN_BACKGROUND:,}", 1.0, 0.99) for hops in HOPS]


def noise(bench: Bench, n: int) -> list[Row]:
    """Cues that are not what was stored."""
    statements, cues, _ = bench.embedded
    tally, ids = Tally(), np.arange(PAIRS)
    for seed, chosen in bench.memories(PAIRS, f"noise, {n:,}"):
        rng = np.random.default_rng([seed, 3])
        pair = Pair.of(bench.spec, np.concatenate([statements[chosen], bench.background(n, chosen, rng)]), seed=seed)
        tally.add("noise", right(pair, noisy(statements[chosen], NOISY_COSINE, rng), ids))
        tally.add("paraphrase", right(pair, cues[chosen, 1], ids))
    published, bar = dict(zip(NOISE_BACKGROUND, (1.0, 0.9, 0.9, 1.0), strict=True))[n], 0.95 if n == max(NOISE_BACKGROUND) else None
    return [
        tally.row("noise", f"cue with noise, cosine {NOISY_COSINE}, over {n:,}", published, bar),
        tally.row("paraphrase", f"cue a paraphrase, over {n:,}", published, bar),
    ]


def noisy(vectors: Vectors, cosine: float, rng: np.random.Generator) -> Vectors:
    """Unit vectors with Gaussian noise, at just this cosine of the given ones, [n, d]."""
    drawn = rng.normal(size=vectors.shape)
    across = drawn - (drawn * vectors).sum(1, keepdims=True) * vectors
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return (cosine * vectors + np.sqrt(1 - cosine**2) * across).astype(np.float32)


def settle(bench: Bench, n: int) -> list[Row]:
    """What completion alone makes of a damaged code, or of a damaged vector in the rate twin."""
    statements, _, _ = bench.embedded
    tally, ids = Tally(), np.arange(SETTLE_PAIRS)
    for seed, chosen in bench.memories(SETTLE_PAIRS, f"settle, {n:,}"):
        rng = np.random.default_rng([seed, 4])
        pair = Pair.of(bench.spec, np.concatenate([statements[chosen], bench.background(n, chosen, rng)]), seed=seed)
        codes = np.stack([spoiled(code, bench.spec.dg.cells, rng) for code in pair.spiking.engrams(ids)])
        vectors = np.where(rng.random(statements[chosen].shape) < WRONG, noisy(statements[chosen], 0.0, rng), statements[chosen])
        tally.add("settle", (pair.spiking.complete(codes).ids == ids, pair.rate.recall(vectors.astype(np.float32)).ids[:, 0] == ids))
    published, bar = SETTLE_PUBLISHED.get(n), 0.9 if n == max(SETTLE_BACKGROUND) else None
    return [tally.row("settle", f"settle, {WRONG:.0%} wrong, {SETTLE_PAIRS} pairs over {n:,}", published, bar)]


def spoiled(code: NDArray[np.uint16], cells: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """A code of which some cells, wherever they stand in the firing order, are replaced by others."""
    made = code.copy()
    places = rng.choice(len(code), round(WRONG * len(code)), replace=False)
    made[places] = rng.choice(np.setdiff1d(np.arange(cells), code), len(places), replace=False)
    return made


def encoder(bench: Bench) -> list[Row]:
    """Vector to spikes and back, and how far a paraphrase is from its statement."""
    statements, cues, others = bench.embedded
    vectors = np.concatenate([statements, cues.reshape(-1, cues.shape[2]), others[: bench.nearby]])
    apart = (statements[bench.corpus.alone] * cues[bench.corpus.alone, 1]).sum(1)
    return [
        quantity("encoder round trip", "cosine", len(vectors), round_trip(bench.spec, vectors), None, 0.99, 0.99),
        quantity("statement and paraphrase", "cosine", len(apart), float(apart.mean()), None, None),
    ]


def filled(bench: Bench, vectors: Vectors, order: Ids, variants: list[Vectors | None] | None = None) -> tuple[Pair, list[float]]:
    """Both memories with all vectors, linked in this order into one chain; and how many each stored and linked a second."""
    warm = Pair.of(bench.spec, vectors[:64], links=[(0, 1)], seed=bench.args.seed)  # compiles the kernels
    right(warm, vectors[:2], np.arange(2))
    pair, writes = Pair(Hippocampus(bench.spec, seed=bench.args.seed), RateHippocampus(bench.spec, seed=bench.args.seed)), []
    for i in bench.track(2, f"storing {len(vectors):,}"):
        memory, start = (pair.spiking, pair.rate)[i], time.perf_counter()
        memory.store(vectors, variants=variants)
        memory.associate(order[:-1], order[1:])
        writes.append(len(vectors) / (time.perf_counter() - start))
    return pair, writes


def exact_and_chains(bench: Bench, pair: Pair, vectors: Vectors, order: Ids, what: str) -> list[Row]:
    """Exact cues and chains of a memory that is linked in this order."""
    tally, n, hops = Tally(), len(vectors), max(HOPS)
    rng = np.random.default_rng([bench.args.seed, 7])
    cued, starts = rng.permutation(n)[: bench.args.trials], rng.permutation(n - hops)[: bench.args.trials]
    tally.add("exact", right(pair, vectors[cued], cued))
    expected = order[starts[:, None] + np.arange(1, hops + 1)]
    followed = [np.zeros_like(expected, bool), np.zeros_like(expected, bool)]
    for i in bench.track(2, f"chains, {n:,}"):  # in one batch: the rate twin codes all memories anew in each call
        followed[i] = (pair.spiking, pair.rate)[i].recall_chain(vectors[order[starts]], hops) == expected
    tally.chains(HOPS, *followed)
    row = tally.row("exact", f"exact cue, {n:,} {what}", 0.8, 0.95)
    return [row, *[tally.row(f"{h}", f"{h} hops, {n:,} {what}", None, 0.99) for h in HOPS]]


def random(bench: Bench) -> list[Row]:
    """As many memories as the model is made for, random directions: the load, and nothing that is alike."""
    rng = np.random.default_rng([bench.args.seed, 8])
    vectors = rng.normal(size=(bench.args.large, bench.spec.ec.dim)).astype(np.float32)
    order = rng.permutation(len(vectors))
    return exact_and_chains(bench, filled(bench, vectors, order)[0], vectors, order, "random vectors")


def large(bench: Bench) -> list[Row]:
    """One memory with all sentences."""
    statements, cues, others = bench.embedded
    rng = np.random.default_rng([bench.args.seed, 5])
    targets = rng.permutation(bench.corpus.alone)[: bench.args.trials]
    vectors = np.concatenate([statements, others[: bench.args.large]])
    n = len(vectors)
    order = rng.permutation(n)
    pair, writes = filled(bench, vectors, order, [cues[i, :1] if i in targets else None for i in range(n)])
    one, many = timed(bench, pair, vectors, 1, TIMED), timed(bench, pair, vectors, TIMED, TIMED_BATCHES)
    tally = Tally()
    spiking, rate = right(pair, cues[targets, 1], targets)
    tally.add("variant", (spiking, rate))
    tally.add("twice", (pair.spiking.recall(cues[targets, 1], settle=2).ids[:, 0] == targets, rate))
    return [
        *exact_and_chains(bench, pair, vectors, order, "sentences"),
        tally.row("variant", f"paraphrase, another stored, {n:,} sentences", 0.8, 0.95),
        tally.row("twice", f"the same, CA3 completes twice, {n:,} sentences", 0.8, None),
        quantity(f"a recall, one by one, {n:,} sentences", "ms", TIMED, *one, 4.0),
        quantity(f"a recall, batches of {TIMED}, {n:,} sentences", "ms", TIMED_BATCHES, *many, None),
        quantity("memories stored and linked", "a second", n, *writes, 211.0),
        quantity("recurrent weights", "MB", 1, pair.spiking.ca3_bytes() / 1e6, 4e-6 * bench.spec.dg.cells**2, 1000.0),
    ]


def timed(bench: Bench, pair: Pair, vectors: Vectors, batch: int, repeats: int) -> list[float]:
    """Median milliseconds a recall, spiking and rate by turns, after a warm-up; other memories each time, in no order."""
    spent: list[list[float]] = [[], []]
    rng = np.random.default_rng([bench.args.seed, 6])
    for _ in bench.track(repeats + 1, f"timing, {batch} at once"):
        cues = vectors[rng.choice(len(vectors), batch, replace=False)]
        for times, memory in zip(spent, (pair.spiking, pair.rate), strict=True):
            start = time.perf_counter()
            memory.recall(cues)
            times.append(1e3 * (time.perf_counter() - start) / batch)
    return [float(np.median(times[1:])) for times in spent]


def main(argv: Sequence[str] | None = None) -> None:
    args = parser.parse_args(argv)
    results = Results(args.out, {key: getattr(args, key) for key in ("model", "trials", "background", "large", "seed", "sts")})
    if not args.fresh:
        results.load()
    jobs: dict[str, Callable[[Bench], list[Row]]] = {"recall": recall, "chains": chains}
    jobs |= {f"noise {n}": partial(noise, n=n) for n in NOISE_BACKGROUND} | {f"settle {n}": partial(settle, n=n) for n in SETTLE_BACKGROUND}
    jobs |= {"encoder": encoder, "random": random, "large": large}
    done = {row["job"] for row in results.rows}
    wanted = {name: job for name, job in jobs.items() if name.split()[0] in args.rows and name not in done}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        bench, total = Bench(args, bar), bar.add_task("all", total=len(wanted))
        for name, job in wanted.items():
            start = time.perf_counter()
            results.add(name, job(bench), time.perf_counter() - start)
            bar.advance(total)
    print(f"{len(wanted)} jobs done, {len(done)} taken up from {args.out}", file=sys.stderr)
    results.print()


if __name__ == "__main__":
    main()
