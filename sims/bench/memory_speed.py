"""The memory's speed: ratios of medians of CPU time, in rounds that alternate, after a warm-up.

    python sims/bench/memory_speed.py --memories 20000
    python sims/bench/memory_speed.py --memories 200000 --rows vectors

Vectors are mixtures of 2,000 random directions, so that each has near neighbours; texts are twelve words each, drawn by Zipf's law, and an
embedder that adds up a random vector for each word, so that no model is needed. Peers: numpy's product with a partial sort, faiss flat
(one thread each; `pip install faiss-cpu`; left out where it is missing), cosine and BM25 over the same texts. Prints a table and writes
results/memory_speed.json.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikemem import Hippocampus, Memory, load_model

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--memories", type=int, default=20_000)
parser.add_argument("--rows", nargs="*", help="which of the rows; all by default")
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/memory_speed.json"))

DIM, TOP, BATCH = 384, 10, 100
WORDS = 12
"""Words of a text."""
VOCABULARY = 20_000


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU time of one call, of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def medians(rounds: int, *works: Callable[[int], object]) -> list[float]:
    """The median CPU time of each, s, over rounds in which they alternate; each is given the number of the round."""
    for work in works:
        work(rounds)
    taken = [[cpu(lambda work=work, r=r: work(r)) for work in works] for r in range(rounds)]
    return np.median(taken, axis=0).tolist()


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def mixtures(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Unit vectors, each of two of 2,000 directions and noise."""
    base = unit(rng.normal(size=(2000, DIM)))
    i, j = rng.integers(0, len(base), (2, n))
    return unit(base[i] + 0.6 * base[j] + 0.3 * unit(rng.normal(size=(n, DIM))))


class WordSums:
    """An embedder that adds up a random vector for each word."""

    name, dim = "word-sums", DIM

    @staticmethod
    @cache
    def _vector(word: str) -> NDArray[np.float32]:
        return np.random.default_rng(list(word.encode())).normal(size=DIM).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return unit(np.stack([sum(map(self._vector, text.split())) for text in texts]))


def texts_of(n: int, rng: np.random.Generator) -> list[str]:
    ranks = np.minimum(rng.zipf(1.3, (n, WORDS)), VOCABULARY)
    return [" ".join(f"word{r}" for r in row) for row in ranks.tolist()]


def filled(model: str, args: argparse.Namespace) -> tuple[Hippocampus, NDArray[np.float32], NDArray[np.float32]]:
    """A memory of mixtures, these, and noisy cues of some of them."""
    rng = np.random.default_rng(args.seed)
    stored = mixtures(args.memories, rng)
    cues = unit(stored[rng.integers(0, args.memories, BATCH)] + 0.6 * unit(rng.normal(size=(BATCH, DIM))))
    memory = Hippocampus(load_model(model), seed=args.seed)
    memory.store(stored)
    return memory, stored, cues


def vectors(args: argparse.Namespace) -> dict[str, float]:
    """Recall of vectors, one cue and in batches, beside numpy and faiss flat."""
    memory, stored, cues = filled("hippocampus-base", args)

    def product(some: NDArray[np.float32]) -> object:
        return np.argpartition(some @ stored.T, -TOP, axis=1)[:, -TOP:]

    peers: dict[str, Callable[[NDArray[np.float32]], object]] = {"numpy": product}
    try:
        import faiss
    except ImportError:
        print("faiss is missing; pip install faiss-cpu")
    else:
        faiss.omp_set_num_threads(1)
        flat = faiss.IndexFlatIP(DIM)
        flat.add(stored)
        peers["faiss"] = lambda some: flat.search(some, TOP)
    ways = {"memory": lambda some: memory.recall(some, TOP), **peers}
    one = medians(args.rounds, *((lambda r, w=way: w(cues[r : r + 1])) for way in ways.values()))
    many = medians(max(args.rounds // 5, 3), *((lambda _, w=way: w(cues)) for way in ways.values()))
    made = {}
    for (name, alone), together in zip(zip(ways, one, strict=True), many, strict=True):
        made[f"one_{name}_ms"], made[f"batch_{name}_ms"] = 1e3 * alone, 1e3 * together / BATCH
    for name in peers:
        made[f"one_vs_{name}"], made[f"batch_vs_{name}"] = (made[f"{way}_{name}_ms"] / made[f"{way}_memory_ms"] for way in ("one", "batch"))
    return made


def engram(args: argparse.Namespace) -> dict[str, float]:
    """Recall in the model whose CA3 recalls, one cue."""
    memory, _, cues = filled("hippocampus-engram", args)
    first, ten = medians(args.rounds, lambda r: memory.recall(cues[r : r + 1]), lambda r: memory.recall(cues[r : r + 1], TOP))
    return {"engram_top1_ms": 1e3 * first, "engram_top10_ms": 1e3 * ten}


def growth(args: argparse.Namespace) -> dict[str, float]:
    """Storing one by one, and a recall right after, as the memory grows: against 1,000 memories, and against a steady recall."""
    rng, made = np.random.default_rng(args.seed), {}
    texts = texts_of(args.memories + 3 * args.rounds, rng)
    with tempfile.TemporaryDirectory() as folder, Memory.open(Path(folder) / "m.sqlite", embedder=WordSums(), seed=args.seed) as memory:
        memory.store_all(texts[:1000])
        fresh = iter(texts[args.memories :])
        few = medians(args.rounds // 2, lambda _: memory.store(next(fresh)))[0]
        memory.store_all(texts[1000 : args.memories])
        many = medians(args.rounds // 2, lambda _: memory.store(next(fresh)))[0]
        after = []
        steady = []
        for r in range(args.rounds):
            memory.store(next(fresh))
            after.append(cpu(lambda r=r: memory.recall(texts[r], TOP)))
            steady.append(cpu(lambda r=r: memory.recall(texts[100 + r], TOP)))
        made |= {"store_1000_ms": 1e3 * few, "store_ms": 1e3 * many, "store_growth": many / few}
        made |= {"after_store_ms": 1e3 * np.median(after), "steady_ms": 1e3 * np.median(steady)}
        made["after_store_vs_steady"] = made["after_store_ms"] / made["steady_ms"]
        memory.close()
        took = []
        for _ in range(3):
            began = time.process_time()
            with Memory.open(Path(folder) / "m.sqlite", embedder=WordSums()) as again:
                took.append((time.process_time() - began, cpu(lambda m=again: m.recall(texts[0], TOP))))
        made["open_s"], made["first_recall_ms"] = np.median(took, axis=0) * [1, 1e3]
    return made


def text(args: argparse.Namespace) -> dict[str, float]:
    """Recall of texts in batches beside cosine and BM25, and two threads beside one."""
    rng = np.random.default_rng(args.seed)
    texts = texts_of(args.memories, rng)
    cues = [texts[i] for i in rng.integers(0, args.memories, BATCH)]
    embedder = WordSums()
    vectors = embedder.embed(texts)
    rank = bm25(texts)

    def peer(_: int) -> object:
        both = embedder.embed(cues) @ vectors.T + rank(cues)
        return np.argpartition(both, -TOP, axis=1)[:, -TOP:]

    with Memory.open(None, embedder=embedder, seed=args.seed) as memory:
        memory.store_all(texts)
        own, other = medians(max(args.rounds // 3, 3), lambda _: memory.recall_all(cues, TOP), peer)
    return {"text_batch_ms": 1e3 * own / BATCH, "text_peer_ms": 1e3 * other / BATCH, "text_vs_peer": own / other}


def bm25(texts: Sequence[str]) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """BM25 (k1 1.2, b .75) by postings, as a function from cues to scores, [cue, text]."""
    words: dict[str, list[int]] = {}
    for i, one in enumerate(texts):
        for word in one.split():
            words.setdefault(word, []).append(i)
    length = np.array([len(one.split()) for one in texts])
    postings = {}
    for word, where in words.items():
        row, f = np.unique(where, return_counts=True)
        idf = np.log(1 + (len(texts) - len(row) + 0.5) / (len(row) + 0.5))
        postings[word] = row, (idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length[row] / length.mean()))).astype(np.float32)

    def scores(cues: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(cues), len(texts)), np.float32)
        for i, cue in enumerate(cues):
            for word in cue.split():
                row, weight = postings[word]
                found[i, row] += weight
        return found

    return scores


def threads(args: argparse.Namespace) -> dict[str, float]:
    """Wall time of two batches one after the other against two threads that share them; nothing else may run meanwhile."""
    rng = np.random.default_rng(args.seed)
    stored = mixtures(args.memories, rng)
    memory = Hippocampus(load_model("hippocampus-base"), seed=args.seed)
    memory.store(stored)
    cues = unit(stored[:200] + 0.6 * unit(rng.normal(size=(200, DIM))))
    taken = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(max(args.rounds // 3, 3)):
            start = time.perf_counter()
            for part in (cues[:100], cues[100:]):
                memory.recall(part, TOP)
            middle = time.perf_counter()
            list(pool.map(lambda part: memory.recall(part, TOP), (cues[:100], cues[100:])))
            taken.append((middle - start) / (time.perf_counter() - middle))
    return {"two_threads_vs_one": float(np.median(taken))}


def recorded(args: argparse.Namespace) -> dict[str, float]:
    """A recall with `record=True`, the first one and the next."""
    rng = np.random.default_rng(args.seed)
    memory = Hippocampus(load_model("hippocampus-base"), seed=args.seed)
    memory.store(stored := mixtures(args.memories, rng))
    first, again = (cpu(lambda r=r: memory.recall(stored[r : r + 1], record=True)) for r in range(2))
    return {"record_first_s": first, "record_again_s": again}


ROWS = {row.__name__: row for row in (vectors, engram, growth, text, threads, recorded)}


def main() -> None:
    args = parser.parse_args()
    made: dict[str, float] = {"memories": args.memories}
    for name in args.rows or ROWS:
        found = ROWS[name](args)
        made |= found
        print(name, " ".join(f"{key} {value:.4g}" for key, value in found.items()), sep="\t", flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
