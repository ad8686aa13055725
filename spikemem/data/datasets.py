"""Public data sets of recall, each read from its published files into `Task` records.

| data set | looked for in the folder | source |
|---|---|---|
| LoCoMo | `locomo/*.json` | Maharana 2024 |
| LongMemEval | `longmemeval/*.json` | Wu 2025 |
| HotpotQA, MuSiQue | `hotpotqa/*_corpus.json`, `musique/*_corpus.json` and, beside each, its questions without `_corpus` | Gutiérrez 2024 |
| STS-B | `stsbenchmark/sts-*.csv` | Cer 2017 |
| MRPC | `mrpc/msr-para-*.tsv` | Dolan and Brockett 2005 |
| BANKING77 | `banking77/train.csv`, `banking77/test.csv` | Casanueva 2020 |

Pairs of sentences with what people said of their likeness, in parts train, dev and test (`pairs`):

| data set | looked for in the folder | source |
|---|---|---|
| STS-B | `stsbenchmark/sts-PART.csv` | Cer 2017 |
| STS-B-zh | `chinese/Chinese-STS-B/sts-b-PART.txt`, STS-B in Chinese | its authors do not say |
| AFQMC | `chinese/AFQMC/PART.txt`, questions to a bank, alike (1) or not (0); no labels in the test part | Xu 2020 (CLUE) |
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from spikemem._checks import Checks, shown
from spikemem.errors import DataError, MissingDataError

check = Checks(DataError)
Texts = tuple[str, ...]
LOCOMO_KINDS = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
"""LoCoMo's numbers of its question categories (Maharana 2024, as its evaluation code has them)."""
PARAPHRASE_FROM = 4.0
"""STS-B's score from which two sentences mean the same: "the two sentences are mostly equivalent" (Cer 2017)."""
ABSTENTION = "_abs"
"""LongMemEval ends the id of a question without an answer so, and its retrieval figures leave such questions out."""
OFFICIAL = "answer_"
"""LongMemEval begins the id of a session that was written for a question so; other sessions fill the haystack."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a memory stores, and questions on it with the texts that answer them.

    dataset, name: the data set, and which part of it.
    texts: what is stored, as words.   embedded: the same as an embedder reads it.
    cues: for each text, further texts that recall it (a passage's title).
    speakers: of each text, or "".   sessions: number of each text's session, None for texts that stand alone.   when: its date, or None.
    questions; gold: for each the indices of the texts that answer it, never empty; kind: its type, or "".
    leave_out: for each question the index of its own copy among the texts, which is no answer, or -1.

    Raises DataError where the lengths differ, or where an index points nowhere.
    """

    dataset: str
    name: str
    texts: Texts
    embedded: Texts
    cues: tuple[Texts, ...]
    speakers: Texts
    sessions: tuple[int | None, ...]
    when: tuple[datetime | None, ...]
    questions: Texts
    gold: tuple[frozenset[int], ...]
    kind: Texts
    leave_out: tuple[int, ...]

    def __post_init__(self) -> None:
        for fields, n in ((("embedded", "cues", "speakers", "sessions", "when"), len(self.texts)),
                          (("gold", "kind", "leave_out"), len(self.questions))):  # fmt: skip
            for field in fields:
                if len(getattr(self, field)) != n:
                    raise DataError(f"{self.dataset}, {self.name}: {len(getattr(self, field))} {field} for {n}")
        for field in ("texts", "embedded", "speakers", "questions", "kind"):
            if (odd := next((item for item in getattr(self, field) if not isinstance(item, str)), None)) is not None:
                raise DataError(f"{shown(self.dataset)}, {shown(self.name)}: {shown(odd)} among {field}; they must be texts")
        if any(not isinstance(cue, str) for cues in self.cues for cue in cues):
            raise DataError(f"{self.dataset}, {self.name}: cues must be tuples of texts")
        if not self.texts:
            raise DataError(f"{self.dataset}, {self.name} has no texts")
        for question, gold in zip(self.questions, self.gold, strict=True):
            if not gold or min(gold) < 0 or max(gold) >= len(self.texts):
                raise DataError(f"{self.dataset}, {self.name}: {question!r} has gold {sorted(gold)} among {len(self.texts)} texts")

    @classmethod
    def of(
        cls,
        dataset: str,
        name: str,
        texts: Sequence[str],
        asked: Sequence[tuple[str, set[int] | frozenset[int], str]],
        *,
        embedded: Sequence[str] | None = None,
        cues: Sequence[Texts] | None = None,
        speakers: Sequence[str] | None = None,
        sessions: Sequence[int] | None = None,
        when: Sequence[datetime] | None = None,
        leave_out: Sequence[int] | None = None,
    ) -> "Task":
        """A task whose texts stand alone and whose questions have no own copies, but for what is given.   asked: (question, gold, kind).

        >>> Task.of("mine", "pets", ["Rex is a dog.", "Tom is a cat."], [("Who barks?", {0}, "")]).sessions
        (None, None)
        """
        n = len(texts)
        return cls(
            dataset, name, tuple(texts), tuple(embedded or texts), tuple(cues or [()] * n), tuple(speakers or [""] * n),
            tuple(sessions or [None] * n), tuple(when or [None] * n), tuple(q for q, _, _ in asked),
            tuple(frozenset(gold) for _, gold, _ in asked), tuple(kind for _, _, kind in asked), tuple(leave_out or [-1] * len(asked)),
        )  # fmt: skip


@contextmanager
def _format(path: Path, expected: str) -> Iterator[None]:
    """One clear error where a file's content is not what its data set publishes."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, RecursionError, csv.Error) as error:
        raise DataError(f"{path} is not in the published format of {expected} ({type(error).__name__}: {error}); get it anew") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise MissingDataError(f"no {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error}); get it anew") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no whole JSON file ({error}); get it anew") from error


def _files(folder: Path, pattern: str) -> list[Path]:
    folder = check.path(folder, "the folder with the data sets")
    found = sorted(folder.glob(pattern))
    if not found:
        raise MissingDataError(f"no {folder / pattern}")
    return found


def locomo(data: Path) -> list[Task]:
    """LoCoMo: a task is a conversation, a text is a turn, an answer is a turn that the question names as evidence.

    As words a turn is "Speaker: text [caption of its picture]", as embedded "Speaker: text": captions help words and blur meanings.
    Questions whose evidence names no turn of the conversation are left out.
    """
    tasks: dict[str, Task] = {}
    for path in _files(data, "locomo/*.json"):
        with _format(path, "LoCoMo"):
            for sample in _json(path):
                tasks[sample["sample_id"]] = _conversation(sample)
    return list(tasks.values())


def _conversation(sample: Mapping[str, Any]) -> Task:
    talk = sample["conversation"]
    numbers = sorted(int(m[1]) for key in talk if (m := re.fullmatch(r"session_(\d+)", key)) and talk[key])
    turns = [(number, turn) for number in numbers for turn in talk[f"session_{number}"]]
    dates = {number: datetime.strptime(talk[f"session_{number}_date_time"], "%I:%M %p on %d %B, %Y") for number in numbers}
    place = {turn["dia_id"]: i for i, (_, turn) in enumerate(turns)}
    said = [f"{turn['speaker']}: {turn['text']}" for _, turn in turns]
    captions = [f" [{turn['blip_caption']}]" if turn.get("blip_caption") else "" for _, turn in turns]
    asked = []
    for qa in sample["qa"]:
        evidence = [name.strip() for joined in qa["evidence"] for name in re.split("[;,]", joined)]
        gold = {place[name] for name in evidence if name in place}
        if gold:
            asked.append((str(qa["question"]), gold, LOCOMO_KINDS.get(qa["category"], str(qa["category"]))))
    return Task.of(
        "LoCoMo", sample["sample_id"], [a + b for a, b in zip(said, captions, strict=True)], asked, embedded=said,
        speakers=[turn["speaker"] for _, turn in turns], sessions=[number for number, _ in turns], when=[dates[n] for n, _ in turns],
    )  # fmt: skip


def longmemeval(data: Path) -> list[Task]:
    """LongMemEval: a task is a haystack of sessions, a text is a turn; a question's gold is every turn of its answer sessions.

    A record has `question` and its `answer_session_ids`, or `questions` and a list of them for each. Questions to abstain from are left
    out, as in the paper. A record's type is that of the question it was written for, whose answer sessions are named `answer_...`.
    """
    tasks = []
    for path in _files(data, "longmemeval/*.json"):
        with _format(path, "LongMemEval"):
            made = [_haystack(record, path.stem) for record in _json(path)]
        tasks += [task for task in made if task.questions]
    return tasks


def _haystack(record: Mapping[str, Any], file: str) -> Task:
    texts: list[str] = []
    speakers, sessions, when = [], [], []
    place: dict[str, set[int]] = {}
    haystack = zip(record["haystack_session_ids"], record["haystack_dates"], record["haystack_sessions"], strict=True)
    for number, (name, date, turns) in enumerate(haystack):
        day = datetime.strptime(re.sub(r"\(\w+\) ", "", date), "%Y/%m/%d %H:%M")
        for turn in turns:
            if turn["content"].strip():
                place.setdefault(name, set()).add(len(texts))
                texts.append(turn["content"])
                speakers.append(turn["role"])
                sessions.append(number)
                when.append(day)
    several = "questions" in record
    questions = record["questions"] if several else [record["question"]]
    answers = record["answer_session_ids"] if several else [record["answer_session_ids"]]
    asked = []
    for question, names in zip(questions, answers, strict=True):
        gold = set().union(*(place.get(name, set()) for name in names))
        official = any(name.startswith(OFFICIAL) for name in names)
        if gold and not (official and record["question_id"].endswith(ABSTENTION)):
            asked.append((question, gold, record["question_type"] if official or not several else "added"))
    name = f"{file}:{record['question_id']}"
    return Task.of("LongMemEval", name, texts, asked, speakers=speakers, sessions=sessions, when=when)


def hotpotqa(data: Path) -> list[Task]:
    """HotpotQA in HippoRAG's form: passages "title, new line, text", the title as a cue; gold are the passages of the supporting facts."""
    return _passages(data, "hotpotqa", "HotpotQA")


def musique(data: Path) -> list[Task]:
    """MuSiQue in HippoRAG's form: passages "title, new line, text", the title as a cue; gold are the paragraphs marked as supporting."""
    return _passages(data, "musique", "MuSiQue")


def _passages(data: Path, folder: str, dataset: str) -> list[Task]:
    tasks = []
    for path in _files(data, f"{folder}/*_corpus.json"):
        with _format(path, f"{dataset}'s corpus"):
            corpus = _json(path)
            titled = [(t, "".join(s)) for t, s in corpus.items()] if isinstance(corpus, dict) else [(p["title"], p["text"]) for p in corpus]
        beside = path.with_name(path.name.replace("_corpus", ""))
        with _format(beside, dataset):
            asked = list(_multi_hop(titled, _json(beside)))
        texts = [f"{title}\n{text}" for title, text in titled]
        tasks.append(Task.of(dataset, beside.stem, texts, asked, cues=[(title,) for title, _ in titled]))
    return tasks


def _multi_hop(titled: Sequence[tuple[str, str]], records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, set[int], str]]:
    """Questions whose gold is in the corpus: by title (`supporting_facts`), or by title and text (`paragraphs`)."""
    by_title: dict[str, set[int]] = {}
    for i, (title, _) in enumerate(titled):
        by_title.setdefault(title, set()).add(i)
    by_both = {both: i for i, both in enumerate(titled)}
    for record in records:
        if "supporting_facts" in record:
            gold = set().union(*(by_title.get(title, set()) for title, *_ in record["supporting_facts"]))
            kind = record.get("type", "")
        else:
            marked = [(p["title"], p["text"] if "text" in p else p["paragraph_text"]) for p in record["paragraphs"] if p["is_supporting"]]
            gold = {by_both[both] for both in marked if both in by_both}
            kind = str(record.get("id", "")).partition("__")[0]
        if gold:
            yield record["question"], gold, kind


def stsb(data: Path) -> list[Task]:
    """STS-B: the first sentence of every pair is stored; the second of a pair scored 4 or more is a cue for it."""
    pairs = []
    for path in _files(data, "stsbenchmark/sts-*.csv"):
        with _format(path, "STS-B"):
            for row in _tabs(path, 7):
                pairs.append((row[5], row[6], float(row[4]) >= PARAPHRASE_FROM))
    return [_paraphrases("STS-B", pairs)]


def mrpc(data: Path) -> list[Task]:
    """MRPC: the first sentence of every pair is stored; the second of a paraphrase is a cue for it."""
    pairs = []
    for path in _files(data, "mrpc/msr-para-*.tsv"):
        with _format(path, "MRPC"):
            for row in _tabs(path, 5)[1:]:
                pairs.append((row[3], row[4], bool(int(row[0]))))
    return [_paraphrases("MRPC", pairs)]


def _tabs(path: Path, columns: int) -> list[list[str]]:
    """Rows of a tab-separated file without quoting."""
    rows = [line.split("\t") for line in _text(path).split("\n") if line]
    for number, row in enumerate(rows, start=1):
        if len(row) < columns:
            raise DataError(f"{path}, line {number}: expected {columns} columns, found {len(row)}; get it anew")
    return rows


def _paraphrases(dataset: str, pairs: Sequence[tuple[str, str, bool]]) -> Task:
    """Store every first sentence once; a second sentence that means the same as some of them is a cue for those, never for itself."""
    place = {text: i for i, text in enumerate(dict.fromkeys(first for first, _, _ in pairs))}
    gold: dict[str, set[int]] = {}
    for first, second, same in pairs:
        if same and first != second:
            gold.setdefault(second, set()).add(place[first])
    own = [place.get(cue, -1) for cue in gold]
    return Task.of(dataset, "all", list(place), [(cue, g, "") for cue, g in gold.items()], leave_out=own)


def banking77(data: Path) -> list[Task]:
    """BANKING77: the training questions are stored, those of the test are the cues; any memory of the same intent is right."""
    stored, asked = (_intents(check.path(data, "data") / "banking77" / f"{part}.csv") for part in ("train", "test"))
    members: dict[str, set[int]] = {}
    for i, (_, intent) in enumerate(stored):
        members.setdefault(intent, set()).add(i)
    shared = {intent: frozenset(indices) for intent, indices in members.items()}
    questions = [(text, shared[intent], intent) for text, intent in asked if intent in shared]
    return [Task.of("BANKING77", "all", [text for text, _ in stored], questions)]


def _intents(path: Path) -> list[tuple[str, str]]:
    with _format(path, "BANKING77"):
        header, *rows = csv.reader(io.StringIO(_text(path), newline=""))
        if header != ["text", "category"]:
            raise DataError(f"{path} begins with {header}, not with text,category; get it anew")
        return [(text.strip(), intent) for text, intent in rows]


class SentencePair(NamedTuple):
    """Two sentences.   score: what people said of their likeness, as the data set has it; None where it does not say."""

    first: str
    second: str
    score: float | None


PAIRS = {"STS-B": "stsbenchmark/sts-{}.csv", "STS-B-zh": "chinese/Chinese-STS-B/sts-b-{}.txt", "AFQMC": "chinese/AFQMC/{}.txt"}
"""Data sets of sentence pairs, and the file of a part."""
PARTS = ("train", "dev", "test")


def pairs(data: Path, dataset: str, part: str = "train") -> list[SentencePair]:
    """A part of one of PAIRS, in the file's order: MissingDataError where its file is not there, DataError where it is bad."""
    check.choice(dataset, "the data set of pairs", PAIRS)
    check.choice(part, "its part", PARTS)
    path = check.path(data, "data") / PAIRS[dataset].format(part)
    found = []
    with _format(path, dataset):
        for row in _tabs(path, 7 if dataset == "STS-B" else 2):
            first, second, *score = (row[5], row[6], row[4]) if dataset == "STS-B" else row
            found.append(SentencePair(first.strip(), second.strip(), float(score[0]) if score and score[0].strip() else None))
    return [pair for pair in found if pair.first and pair.second]


DATASETS: dict[str, Callable[[Path], list[Task]]] = {
    "LoCoMo": locomo, "LongMemEval": longmemeval, "HotpotQA": hotpotqa, "MuSiQue": musique, "STS-B": stsb, "MRPC": mrpc,
    "BANKING77": banking77,
}  # fmt: skip
"""Each data set's loader, folder to tasks: MissingDataError where its files are not there, DataError where they are bad."""
