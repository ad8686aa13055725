"""The rate twin: the rate-based Hopfield and Hebbian memory that the spiking circuit replaces, with the same methods.

    stage 1   S = the 20 stored cue variants nearest to q by cosine
    stage 2   x0 = q; three times: a = softmax(beta Z_S x), x = normalise(Z_S^T a); score(m) = sum of a over m's variants
    code      c(e) = the k largest of R^T e, R ~ N(0, 1/d), n = 16384, k = 50
    write     W += c(target) c(cue)^T
    chain     x[h+1] = the k largest of W x[h]; sleep: W = 0, then the surviving pairs again

(Ramsauer 2021 for stage 2; Hebbian hetero-association as in Willshaw 1969, additive.) With `pathways` it is also driven by
words, context, moments and spreading, by the same equation as the spiking memory (`regions.ca1`) on rates: h below is the drive of all
pathways but the cosine.

    stage 1   S = the 20 keys of largest A = g z q + h         memories come in the order of A
    stage 2   a = softmax(beta (g Z_S x + h_S))

beta is the model's sharpness, 16, or another (`RateHippocampus.at`): where memories are look-alikes it settles into a mean of them, until
beta is large. `spikemem.evaluate.sharpness` chooses one on the stored vectors.
"""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from spikemem._checks import Checks, shown
from spikemem.errors import NetworkError, SpecError, UnknownMemoryError, VectorError
from spikemem.hippocampus.inputs import Inputs, check, check_cue, known
from spikemem.hippocampus.rate_pathways import RatePathways
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.pathway_cells import PATHWAYS
from spikemem.hippocampus.spec import MOST_RECALLED, ModelSpec

SETTLE_STEPS = 3
"""Hopfield updates of x in stage 2."""


class RateHippocampus:
    """Modern Hopfield recall and Hebbian chains on rates. W is a dense float32 matrix, [n, n], 1 GB at n = 16384, made when first used.

    spec: the spiking model that it is the twin of.   device: any torch device.   seed: of the random projection R.
    pathways: whether words, context and moments drive it, too, and recall spreads, as in the spiking memory.

    >>> import numpy as np
    >>> from spikemem import RateHippocampus, load_model
    >>> memory = RateHippocampus(load_model("hippocampus-small"), seed=0)
    >>> vectors = np.random.default_rng(0).normal(size=(100, 384))
    >>> ids = memory.store(vectors)
    >>> memory.associate(ids[:3], ids[1:4])
    >>> memory.recall(vectors[7], top_k=1).ids.tolist(), memory.recall_chain(vectors[0], hops=3).tolist()
    ([[7]], [[1, 2, 3]])
    """

    def __init__(self, spec: ModelSpec | None = None, device: str = "cpu", seed: int = 0, pathways: bool = False) -> None:
        own = Checks(SpecError)
        if spec is not None and not isinstance(spec, ModelSpec):
            raise SpecError(f"a hippocampus is made from a ModelSpec, not from {shown(spec)}; use load_model(name_or_path)")
        self.spec, seed = spec or ModelSpec(), own.seed(seed)
        self.sharpness = self.spec.ca1.sharpness
        self._pathways = RatePathways(self.spec) if pathways else None
        try:
            self.device = torch.device(own.text(device, "device"))
            generator = torch.Generator().manual_seed(seed)
            projection = torch.randn(self.spec.ec.dim, self.spec.dg.cells, generator=generator) / self.spec.ec.dim**0.5
            self.projection = projection.to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise NetworkError(f"device {device!r} cannot be used: {error}") from error
        self._keys = torch.zeros(0, self.spec.ec.dim, device=self.device)
        self._owner = torch.zeros(0, dtype=torch.long, device=self.device)
        self._targets = torch.zeros(0, self.spec.ec.dim, device=self.device)
        self._alive = torch.zeros(0, dtype=torch.bool, device=self.device)
        self._links: dict[tuple[int, int], None] = {}
        self._weights: Tensor | None = None
        """W transposed: row i holds the synapses from cell i."""

    def at(self, sharpness: float) -> "RateHippocampus":
        """The same memory, as it is now, with another sharpness; what is stored in one later is not in the other."""
        sharpness = check.finite(sharpness, "sharpness", above=0)
        other = copy.copy(self)
        other.sharpness = sharpness
        return other

    def __len__(self) -> int:
        return int(self._alive.sum())

    def _tensor(self, vectors: ArrayLike) -> Tensor:
        return torch.as_tensor(ec.unit(vectors, self.spec.ec.dim), device=self.device)

    def code(self, vectors: Tensor) -> Tensor:
        """c(e) as the indices of its k cells, [n, k]."""
        return (vectors @ self.projection).topk(self.spec.ca3.core, dim=1).indices

    def store(
        self,
        cue: ArrayLike,
        target: ArrayLike | None = None,
        variants: Sequence[ArrayLike | None] | None = None,
        *,
        words: Sequence[Sequence[Words]] | None = None,
        pieces: Sequence[int] | None = None,
        sessions: ArrayLike | None = None,
        when: ArrayLike | None = None,
    ) -> NDArray[np.int64]:
        """Store memories; returns their ids, [n]. Arguments as in `Hippocampus.store`; a target apart from the cue is a cue, too."""
        cues = self._tensor(cue)
        targets = cues if target is None else self._tensor(target)
        given = [None] * len(cues) if variants is None else check.listed(variants, "variants", "vectors, one item a memory")
        extra = [None if v is None else np.atleast_2d(check.array(v, "an item of variants", "fiu")) for v in given]
        if len(targets) != len(cues) or len(extra) != len(cues):
            raise VectorError(f"{len(cues)} cues need as many targets and variants, not {len(targets)} and {len(extra)}")
        ids = torch.arange(len(self._targets), len(self._targets) + len(cues), device=self.device)
        sizes = [0 if v is None or not v.size else len(v) for v in extra]
        inputs = Inputs.of(len(cues), sizes, target is not None, words, pieces, sessions, when, self.spec.lex)
        keys, owner = ([targets, cues], [ids, ids]) if target is not None else ([cues], [ids])
        for i, vectors in enumerate(extra):
            if vectors is not None and np.size(vectors):
                more = self._tensor(vectors)
                keys.append(more)
                owner.append(ids[i].expand(len(more)))
        self._keys, self._owner = torch.cat([self._keys, *keys]), torch.cat([self._owner, *owner])
        self._targets = torch.cat([self._targets, targets])
        self._alive = torch.cat([self._alive, torch.ones(len(cues), dtype=torch.bool, device=self.device)])
        if self._pathways is not None:
            whose = torch.cat(owner).cpu().numpy()
            self._pathways.add(inputs, whose - (whose[0] if len(whose) else 0), whose)
        return ids.cpu().numpy()

    def associate(self, a: ArrayLike, b: ArrayLike) -> None:
        """W += c(target) c(cue)^T for each pair; a pair given twice counts once, as in the spiking memory."""
        pre, post = self._known(a), self._known(b)
        if len(pre) != len(post):
            raise UnknownMemoryError(f"associate needs as many successors as memories, not {len(post)} for {len(pre)}")
        fresh = [link for link in dict.fromkeys(zip(pre.tolist(), post.tolist(), strict=True)) if link not in self._links]
        self._links.update(dict.fromkeys(fresh))
        self._write(fresh)

    def _write(self, links: list[tuple[int, int]]) -> None:
        cells = self.spec.dg.cells
        if self._weights is None:
            self._weights = torch.zeros(cells, cells, device=self.device)
        for start in range(0, len(links), 1024):
            pairs = torch.tensor(links[start : start + 1024], device=self.device)
            pre, post = self.code(self._targets[pairs[:, 0]]), self.code(self._targets[pairs[:, 1]])
            synapse = (pre.unsqueeze(2) * cells + post.unsqueeze(1)).reshape(-1)
            self._weights.view(-1).index_add_(0, synapse, torch.ones(len(synapse), device=self.device))

    def forget(self, ids: ArrayLike) -> None:
        """Forget memories for good: no cue and no hop leads to them. Their share of W goes in the next `consolidate`."""
        gone = self._known(ids)
        self._alive[torch.as_tensor(gone, device=self.device)] = False
        lost = set(gone.tolist())
        self._links = {link: None for link in self._links if not lost & set(link)}

    def consolidate(self) -> None:
        """Sleep: W = 0, then the surviving pairs again."""
        if self._weights is not None:
            self._weights.zero_()
            self._write(list(self._links))

    def recall(
        self, cue: ArrayLike, top_k: int = 1, *, words: Sequence[Words] | None = None, around: float | None = None, cycles: int = 2
    ) -> Recall:
        """The memories that cues bring back, by Hopfield updates.

        `scores` are attention summed over a memory's variants, `attention` is that of the last step. With pathways
        `scores` are drives. words, around and cycles are those of `Hippocampus.recall`.
        """
        queries = self._tensor(cue)
        top_k = check.integer(top_k, "top_k", least=1, most=MOST_RECALLED)
        cycles = check.integer(cycles, "cycles", least=1, most=MOST_RECALLED)
        check.room(len(queries) * top_k * len(PATHWAYS), f"the answers to {len(queries):,} cues", "give fewer cues, or a smaller top_k")
        n, living = len(queries), torch.nonzero(self._alive[self._owner]).squeeze(1)
        ids, scores = np.full((n, top_k), NONE, np.int64), np.full((n, top_k), np.nan)
        if not len(living):
            none = np.zeros((n, 0))
            nothing = np.zeros((n, 0), np.int64), np.zeros((n, self.spec.ec.dim)), np.ones(n), none.astype(np.int64), none
            return Recall(ids, scores, np.full((n, top_k, len(PATHWAYS)), np.nan), *nothing, np.zeros(n, np.int64))
        if self._pathways is not None:
            return self._recall_by_drive(queries, self._pathways, check_cue(words, around, n, self.spec.lex), living, top_k, cycles)
        near, nearest, attention, x = self._settle(queries, living, SETTLE_STEPS)
        owners = self._owner[nearest]
        for i in range(n):
            memories, position = torch.unique(owners[i], return_inverse=True)
            total = torch.zeros(len(memories), device=self.device).index_add_(0, position, attention[i])
            best = total.argsort(descending=True, stable=True)[:top_k]
            ids[i, : len(best)], scores[i, : len(best)] = memories[best].cpu().numpy(), total[best].cpu().numpy()
        multiplications = (len(living) + 2 * SETTLE_STEPS * nearest.shape[1]) * self.spec.ec.dim
        return Recall(
            ids, scores, np.full((n, top_k, len(PATHWAYS)), np.nan), np.zeros((n, 0), np.int64), x.cpu().double().numpy(),
            (1 - near[:, 0]).clamp(min=0).cpu().double().numpy(), owners.cpu().numpy(),
            attention.cpu().double().numpy(), np.full(n, multiplications),
        )  # fmt: skip

    def _recall_by_drive(
        self, queries: Tensor, pathways: RatePathways, cue_words: CueWords, living: Tensor, top_k: int, cycles: int
    ) -> Recall:
        """Recall by the drive A of all pathways, in as many theta cycles as make a difference."""
        n, keys, owner = len(queries), living.cpu().numpy(), self._owner.cpu().numpy()
        cosine = (queries @ self._keys[living].T).cpu().double().numpy()
        meaning = self.spec.ca1.meaning * cosine
        taught = pathways.synapses(owner, self._alive.cpu().numpy()[owner])
        links: dict[int, list[int]] = {}
        for a, b in self._links:
            links.setdefault(a, []).append(b)
        spreads = self.spec.ca1.spreading > 0 and bool(links or len(taught.apical_memory))
        primed, path = np.zeros((n, len(self._targets)), bool), np.full((n, cycles - 1 if spreads else 0), NONE, np.int64)
        for p in range(path.shape[1]):
            drive = meaning + pathways.drive(taught, cue_words, primed)[:, keys]
            for i in range(n):
                best = owner[keys[np.argsort(-drive[i], kind="stable")]]
                path[i, p] = next((m for m in best if m not in path[i, :p]), NONE)
                if path[i, p] != NONE:
                    primed[i, [path[i, p], *links.get(int(path[i, p]), []), *taught.primed_by(int(path[i, p]))]] = True
        field = pathways.drive(taught, cue_words, primed)[:, keys]
        drive = meaning + field
        ids, scores = np.full((n, top_k), NONE, np.int64), np.full((n, top_k), np.nan)
        for i in range(n):
            order = np.argsort(-drive[i], kind="stable")
            _, first = np.unique(owner[keys[order]], return_index=True)
            best = order[np.sort(first)[:top_k]]
            ids[i, : len(best)], scores[i, : len(best)] = owner[keys[best]], drive[i, best]
        s = np.argsort(-drive, axis=1, kind="stable")[:, : max(self.spec.ca1.competitors, 1)]
        z, h = (
            self._keys[living[torch.as_tensor(s, device=self.device)]],
            torch.as_tensor(np.take_along_axis(field, s, 1), device=self.device),
        )
        x, attention = queries, torch.zeros_like(h)
        for _ in range(SETTLE_STEPS):
            attention = torch.softmax(self.sharpness * (self.spec.ca1.meaning * torch.einsum("ncd,nd->nc", z, x) + h), dim=1)
            x = torch.nn.functional.normalize(torch.einsum("nc,ncd->nd", attention.float(), z), dim=1)
        nearest = np.take_along_axis(cosine, s[:, :1], 1)[:, 0]
        return Recall(
            ids, scores, np.full((n, top_k, len(PATHWAYS)), np.nan), path, x.cpu().double().numpy(), np.maximum(1 - nearest, 0),
            owner[keys[s]], attention.cpu().double().numpy(), np.full(n, cosine.shape[1] * self.spec.ec.dim),
        )  # fmt: skip

    def _settle(self, queries: Tensor, living: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Stage 1 and 2: cosines of the nearest keys, those keys, the last attention and the last x."""
        near, position = (queries @ self._keys[living].T).topk(min(self.spec.ca1.competitors, len(living)), dim=1)
        nearest = living[position]
        z, x = self._keys[nearest], queries
        attention = torch.zeros_like(near)
        for _ in range(steps):
            attention = torch.softmax(self.sharpness * torch.einsum("ncd,nd->nc", z, x), dim=1)
            x = torch.nn.functional.normalize(torch.einsum("nc,ncd->nd", attention, z), dim=1)
        return near, nearest, attention, x

    def first_attention(self, cue: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """a = softmax(beta Z_S q), before x moves: the keys of S as (memory, share), [n, 20] each."""
        living = torch.nonzero(self._alive[self._owner]).squeeze(1)
        _, nearest, attention, _ = self._settle(self._tensor(cue), living, 1)
        return self._owner[nearest].cpu().numpy(), attention.cpu().double().numpy()

    def recall_chain(self, cue: ArrayLike, hops: int = 1) -> NDArray[np.int64]:
        """The memories after the one recalled, ids [n, hops]: each the living one whose code shares most cells with x[h].

        A chain ends (-1) where that is less than half of a code: W leads nowhere, or to what was forgotten.
        """
        hops = check.integer(hops, "hops", least=1, most=MOST_RECALLED)
        first = self.recall(cue, top_k=1).ids[:, 0]
        ids = np.full((len(first), hops), NONE, np.int64)
        if self._weights is None:
            return ids
        living = torch.nonzero(self._alive).squeeze(1)
        codes = self.code(self._targets[living])
        for i, memory in enumerate(first):
            if memory == NONE:
                continue
            cells = self.code(self._targets[memory : memory + 1])[0]
            for h in range(hops):
                drive = self._weights[cells].sum(0)
                if drive.max() <= 0:
                    break
                firing = torch.zeros(self.spec.dg.cells, device=self.device)
                cells = drive.topk(self.spec.ca3.core).indices
                firing[cells] = 1.0
                common = firing[codes].sum(1)
                if 2 * common.max() < self.spec.ca3.core:
                    break
                ids[i, h] = living[common.argmax()]
        return ids

    def _known(self, ids: ArrayLike) -> NDArray[np.int64]:
        return known(ids, self._alive.cpu().numpy())
