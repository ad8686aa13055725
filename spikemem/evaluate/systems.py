"""The spiking memory and its rate twin as systems that are measured beside nearest neighbour."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.data.datasets import Task
from spikemem.errors import DataError
from spikemem.evaluate.baselines import Cosine, System, Vectors, check_fit
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.spec import ModelSpec, load_model
from spikemem.memory.texts import pieces, seconds

if TYPE_CHECKING:  # its module loads torch
    from spikemem.hippocampus.rate_twin import RateHippocampus

check = Checks(DataError)
MODEL = "hippocampus-text"
ENGRAMS = "hippocampus-engram"
LESIONS = {
    "meaning": ("meaning",),
    "words": ("words", "key", "denial"),
    "context": ("forward",),
    "spreading": ("spreading", "key"),
}
"""The gains that are 0 where a pathway is cut. Context is made of words, and goes with them."""
ABLATIONS = {
    "": (),
    "without meaning": ("meaning",),
    "without words and context": ("words",),
    "without context": ("context",),
    "without spreading": ("spreading",),
    "meaning alone": ("words", "spreading"),
    "words alone": ("meaning", "context", "spreading"),
    "words and context alone": ("meaning", "spreading"),
}
"""Which pathways are cut. Context and spreading find nothing by themselves: they carry on what meaning or words have found. The moment
speaks where a question names one (`around`), which those of public data sets do not."""


SILENCED: Mapping[str, Callable[[Hippocampus], None]] = {
    "": lambda memory: None,
    "CA3 silent": lambda memory: memory.lesion("ca3", 1.0),
    "CA3 recurrence cut": lambda memory: memory.cut("ca3->ca3"),
    "30 % of CA3 lost": lambda memory: memory.lesion("ca3", 0.3),
}
"""Which regions and synapses are silenced."""


@dataclass
class MemorySystem:
    """A memory that stores a task's texts with their words, cues, sessions and moments, and answers by its recall.

    rate: the twin in place of the spiking memory.   plain: vectors alone.   ablation: what is cut, of `ABLATIONS`.
    model: in place of hippocampus-text, or, for vectors alone, of hippocampus-base.   damage: what is silenced, of `SILENCED`.
    """

    rate: bool = False
    plain: bool = False
    ablation: str = ""
    damage: str = ""
    model: ModelSpec | None = None
    seed: int = 0
    events: float = math.nan

    def __post_init__(self) -> None:
        self.rate, self.plain, self.seed = check.flag(self.rate, "rate"), check.flag(self.plain, "plain"), check.seed(self.seed)
        self.ablation = check.choice(self.ablation, "ablation", ABLATIONS)
        self.damage = check.choice(self.damage, "damage", SILENCED)
        self.model = None if self.model is None else check.instance(self.model, "model", ModelSpec, "give one of load_model")

    @property
    def name(self) -> str:
        kind = "rate twin" if self.rate else "spiking memory"
        parts = ("vectors alone" if self.plain else "", self.model.name if self.model else "", self.ablation, self.damage)
        return ", ".join([kind, *filter(None, parts)])

    def fit(self, task: Task, vectors: Vectors) -> None:
        check_fit(task, vectors)
        embedded = vectors(task.embedded)
        model = self.model or load_model("hippocampus-base" if self.plain else MODEL)
        spec = lesioned(model, ABLATIONS[self.ablation]).with_dim(embedded.shape[1])
        self._cells = spec.lex.cells if spec.lex else 0
        self._vectors = vectors
        self._memory = self._empty(spec)
        if self.plain:
            self._memory.store(embedded)
            self._silence()
            return
        parts = [pieces(text) for text in task.embedded]
        further = [[*own, *cues] for own, cues in zip(parts, task.cues, strict=True)]
        made = vectors([text for some in further for text in some])
        self._memory.store(
            embedded,
            variants=np.split(made, np.cumsum([len(some) for some in further])[:-1]) if len(made) else None,
            words=[self._words([text, *some]) for text, some in zip(task.texts, further, strict=True)],
            pieces=[len(own) for own in parts],
            sessions=np.array([NO_SESSION if s is None else s for s in task.sessions]),
            when=np.array([math.nan if (s := seconds(w)) is None else s for w in task.when]),
        )
        self._silence()

    def _silence(self) -> None:
        if isinstance(self._memory, Hippocampus):
            SILENCED[self.damage](self._memory)

    def _empty(self, spec: ModelSpec) -> "Hippocampus | RateHippocampus":
        if not self.rate:
            return Hippocampus(spec, seed=self.seed)
        from spikemem.hippocampus.rate_twin import RateHippocampus

        return RateHippocampus(spec, seed=self.seed, pathways=not self.plain)

    def _words(self, texts: Sequence[str]) -> list[Words]:
        return [words(text, self._cells) for text in texts]

    def rank(self, questions: Sequence[str], k: int) -> NDArray[np.int64]:
        cues, said = self._vectors(questions), None if self.plain else self._words(questions)
        if self.damage and isinstance(self._memory, Hippocampus):
            found = self._memory.recall(cues, k, words=said, cycles=1, attention_cycles=1)  # attention is simulated, and changes no rank
        else:
            found = self._memory.recall(cues, k, words=said)
        self.events = math.nan if self.rate else float(found.events.mean())
        return found.ids


def ablations() -> list[Callable[[], System]]:
    """Cosine, then the spiking memory and its rate twin whole, with each pathway left out, and with some alone."""
    return [Cosine, *(partial(MemorySystem, rate, ablation=name) for name in ABLATIONS for rate in (False, True))]


def engrams() -> list[Callable[[], System]]:
    """The engram model, with words: whole, with each pathway left out, and with each thing of `SILENCED` silent."""
    model = load_model(ENGRAMS)
    cut = [partial(MemorySystem, model=model, ablation=name) for name in ABLATIONS]
    return [*cut, *(partial(MemorySystem, model=model, damage=name) for name in SILENCED if name)]


def silenced() -> list[Callable[[], System]]:
    """Memories of vectors alone, by index cells and by engrams: whole, and with each thing of `SILENCED` silent.

    Those by index cells are simulated where they are damaged, which is for small tasks.
    """
    models = (load_model("hippocampus-base"), load_model(ENGRAMS))
    return [partial(MemorySystem, plain=True, model=model, damage=name) for model in models for name in SILENCED]


def lesioned(spec: ModelSpec, cut: Sequence[str]) -> ModelSpec:
    """The model with pathways cut: their gains are 0."""
    table = check.instance(spec, "spec", ModelSpec, "give one of load_model").model_dump()
    for pathway in check.listed(cut, "cut", "pathways"):
        for gain in LESIONS[check.choice(pathway, "a pathway", LESIONS)]:
            table["context" if gain == "forward" else "ca1"][gain] = 0.0
            if table.get("engram") is not None and gain != "denial":
                table["engram"]["context" if gain == "forward" else gain] = 0.0
    return ModelSpec.model_validate(table)
