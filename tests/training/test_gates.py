"""The stream that the gates learn from, their surrogate gradient in closed form, and that the recipe learns."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spikemem import ModelSpec
from spikemem.data.corpus.captions import _qualities, caption_pairs, load_captions
from spikemem.data.corpus.kinds import load_kinds
from spikemem.data.corpus.pairs import Filler, PairKind, pairs
from spikemem.data.corpus.stream import EventKind, stream
from spikemem.data.corpus.variants import ALIKE, SUBJECTS, VALUES, beside, corrected, denied, edited, questioned
from spikemem.errors import SpecError
from spikemem.hippocampus.regions.contrast import ContrastCells
from spikemem.hippocampus.regions.difference import LIKENESSES, MARKS, Difference, heard
from spikemem.hippocampus.regions.gates import GATES, Action, GateCells, Mismatch, Phase
from spikemem.learn import fit
from spikemem.learn.checkpoints import save
from spikemem.training.gate_lessons import HOLD_BACK, MEMORIES, READ_OUT, ROUNDS, Lessons, Texts, lessons, taught_and_held_out, turned
from spikemem.training.gates import DEAR, SETTINGS, Escape, GateModel, cost, examine, levels, loss, tensors, train
from tests.fakes import FakeEmbedder

HELD_OUT = Path(__file__).parents[1] / "hippocampus" / "held_out_pairs.json"
SENTENCES = [f"Ada is taking {n} red boats to Lisbon on Monday, because it's near." for n in range(100, 400)]


@pytest.mark.slow
def test_an_edit_changes_the_sentence_and_no_fact() -> None:
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        made = [edited(text, rng, part) for text in SENTENCES]
        assert all(a != b for a, b in zip(made, SENTENCES, strict=True))
        assert all(str(n) in text for n, text in enumerate(made, 100))
    assert not set(ALIKE["train"]) & set(ALIKE["test"])


def test_a_correction_changes_one_word_for_another_of_its_kind() -> None:
    rng = np.random.default_rng(0)
    changed = Counter[str]()
    for text in SENTENCES:
        made = corrected(text, rng)
        assert made is not None
        pairs = [(a, b) for a, b in zip(text.split(), made.split(), strict=True) if a != b]
        assert len(pairs) == 1
        changed[pairs[0][0].strip(",")] += 1
    assert {"Monday", "red", "Lisbon"} <= changed.keys()
    assert not any(word.isdigit() for word in changed)
    for edit in (corrected, beside):
        assert edit("Well, that is that then.", rng) is None
        assert edit("Monday Ada is.", rng) is None  # too short to tell a fact
        assert edit("Ada: Monday it is.", rng) is None
    assert corrected("Ada plays the violin with Ben.", rng) is None
    made = beside("My brother left on Monday at nine.", rng)
    assert made is not None
    assert made.split()[2:] == ["left", "on", "Monday", "at", "nine."]
    assert made.split()[1] in SUBJECTS[1].split()


def test_words_are_exchanged_as_they_are_written() -> None:
    rng = np.random.default_rng(0)
    for edit in (corrected, beside):
        assert edit("They march through the gates of grace.", rng) is None  # neither the month nor the name
        assert edit("The rent is 900 euros.", rng) is None  # figures may be names
    assert str(corrected("Supper is always in March.", rng)).split()[-1].strip(".") in VALUES[3].split()


@pytest.mark.parametrize(
    ("text", "contrary"),
    [
        ("The door isn't locked.", "The door is locked."), ("We won't come.", "We will come."), ("He cannot swim.", "He can swim."),
        ("She can\u2019t sing.", "She can sing."), ("It hasn't been painted.", "It has been painted."),
        ("Ada: It was never so.", "Ada: It was so."), ("He did not call.", "He did call."),
        ("He never eats meat.", "He eats meat."), ("It no longer works.", "It works."), ("She does not sing.", "She does sing."),
        ("Is the door locked?", None), ("Rain fell.", None), ("Nobody can swim.", None), ("The will was lost, hardly found.", None),
        ("While it is wet, we wait.", None), ("We wait because it is wet.", None),
    ],
)  # fmt: skip
def test_a_denial_of_a_denial_is_the_sentence(text: str, contrary: str | None) -> None:
    assert denied(text, np.random.default_rng(0)) == contrary


def test_what_denies() -> None:
    rng = np.random.default_rng(0)
    for text, ways in (
        ("He can swim.", {"He cannot swim.", "He can't swim.", "He can no longer swim.", "He can never swim."}),
        ("It will rain.", {"It will not rain.", "It won't rain.", "It will no longer rain.", "It will never rain."}),
        ("It has stopped.", {"It has not stopped.", "It hasn't stopped.", "It has no longer stopped.", "It has never stopped."}),
        ("She teaches us.", {"She does not teach us.", "She doesn't teach us.", "She no longer teaches us.", "She never teaches us."}),
        ("We like tea.", {"We do not like tea.", "We don't like tea.", "We no longer like tea.", "We never like tea."}),
    ):
        assert {denied(text, rng) for _ in range(60)} == ways


def test_of_the_projects_own_texts_none_is_denied_twice() -> None:
    rng, twice = np.random.default_rng(0), re.compile(r"(?:\bnot|n't|\bnever|\bno longer) (?:\w+ )?(?:not|never|no longer)\b")
    texts = [text for part in taught_and_held_out() for text in part.shuffled(rng)]
    made = [text for text in (denied(text, rng) for text in texts) if text is not None]
    assert len(made) > 250
    assert [text for text in made if twice.search(text)] == []
    assert [text for text in made if denied(text, rng) == text] == []


def test_a_question_asks_in_other_words() -> None:
    assert questioned("The ferry to Ceuta stops at nine.") == "Does the ferry to Ceuta stop at nine?"
    assert questioned("Jonas: Priya goes home!") == "Jonas: Does Priya go home?"
    for text in ("Does she sing?", "The door is locked.", "While it rains she reads.", "Rain fell.", "Sings."):
        assert questioned(text) is None


def test_a_stream_has_its_shares_and_comes_again_in_the_latest_version() -> None:
    shares = {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.2, EventKind.CONTRADICTION: 0.2, EventKind.BESIDE: 0.1}
    events = stream(SENTENCES, 400, shares, np.random.default_rng(0))
    kinds = Counter(event.kind for event in events)
    for kind, share in shares.items():
        assert kinds[kind] / len(events) == pytest.approx(share, abs=0.06)
    latest: dict[int, str] = {}
    for place, event in enumerate(events):
        if event.kind in (EventKind.NEW, EventKind.BESIDE):
            assert event.of == place
            assert event.text not in latest.values()
        else:
            assert place - event.of > 20
            assert (event.text == latest[event.of]) is (event.kind is EventKind.REPEAT)
        if event.kind in (EventKind.NEW, EventKind.CONTRADICTION, EventKind.BESIDE):
            latest[event.of] = event.text
    assert events == stream(SENTENCES, 400, shares, np.random.default_rng(0))
    assert len(stream(SENTENCES[:5], 400, {}, np.random.default_rng(0))) == 5


def test_the_surrogate_is_the_derivative_of_the_firing_probability() -> None:
    above = torch.linspace(-3, 3, 7, dtype=torch.float64, requires_grad=True)
    noise = torch.distributions.Uniform(1e-9, 1 - 1e-9).sample((200_000, 1)).to(torch.float64).logit()
    spikes = Escape.apply(above.expand(200_000, 7), noise.expand(200_000, 7))
    spikes.mean(0).sum().backward()
    p = torch.sigmoid(above.detach())
    assert above.grad is not None
    torch.testing.assert_close(above.grad, p * (1 - p))
    torch.testing.assert_close(spikes.mean(0).detach(), p, atol=0.006, rtol=0)


DIM = 8


def unlike(sizes: NDArray[np.float64], difference: Difference | None = None) -> Mismatch:
    return Mismatch(sizes, heard(difference, DIM))


def replaced(rng: np.random.Generator, alike: bool) -> Difference:
    """A phrase that replaced one near to it, or one that has nothing to do with it."""
    old, other = rng.normal(size=(2, DIM))
    new = old + 0.2 * other if alike else other
    unit = [(x / np.linalg.norm(x)).astype(np.float32) for x in (old, new)]
    return Difference(np.zeros(len(MARKS), bool), np.full(len(LIKENESSES), 0.5), *unit)


def made_up(n: int = 400) -> Lessons:
    """Mismatches like those of sentences and questions."""
    rng = np.random.default_rng(0)
    typical = {
        Action.WRITE: (300, 300, 30, 25, 5), Action.SUPERSEDE: (120, 120, 4, 4, 30), Action.REFRESH: (60, 60, 4, 0, 30),
        Action.RENEW: (0, 0, 0, 0, 30),
    }  # fmt: skip
    actions = [list(typical)[i] for i in rng.integers(4, size=n)]
    events = Lessons.of_events([unlike(np.array(typical[a]) * rng.uniform(0.8, 1.2, 5)) for a in actions], actions, [None] * n)
    stored = rng.random(n) < 0.5
    known, foreign = (np.array(m) * rng.uniform(0.8, 1.2, (n, 5)) for m in ((200, 200, 20, 20, 15), (300, 300, 30, 25, 3)))
    return Lessons.all([events, Lessons.of_cues(list(map(unlike, np.where(stored[:, None], known, foreign))), stored.tolist())])


@pytest.mark.slow
def test_gates_learn_what_to_do(tmp_path: Path) -> None:
    told = made_up()
    torch.manual_seed(0)
    model = GateModel(torch.tensor(levels(told.sizes), dtype=torch.float32), 32, DIM)
    assert max(wrong for _, wrong in examine(model, told).values()) > 0.5
    history = fit(
        model,
        tensors(told),
        loss,
        replace(SETTINGS, epochs=150, batch=256, patience=None, device="cpu"),
        progress=lambda *_: None,
    )
    assert np.mean(history.losses[-5:]) < 0.3 * np.mean(history.losses[:5])
    assert max(wrong for _, wrong in examine(model, told).values()) < 0.02
    path = save(tmp_path / "gates.safetensors", model)
    spec = ModelSpec.model_validate({"ec": {"dim": DIM}, "lex": {}, "gates": {"weights": str(path)}})
    trained = GateCells.of(spec)
    verdicts = [trained.judge(0, m, seed) for seed, m in enumerate(told.seen)]
    decided = [verdict.action.value for verdict in verdicts[:400]] + [READ_OUT if v.on("read") else HOLD_BACK for v in verdicts[400:]]
    assert np.mean([a == b for a, b in zip(decided, told.right, strict=True)]) > 0.97


def test_the_held_out_fifth_has_no_text_that_was_taught() -> None:
    taught, held_out = (part.shuffled(np.random.default_rng(0)) for part in taught_and_held_out())
    assert not set(taught) & set(held_out)
    assert len(held_out) / (len(held_out) + len(taught)) == pytest.approx(0.2, abs=0.02)
    assert taught_and_held_out() == taught_and_held_out()
    assert taught_and_held_out(1) != taught_and_held_out()


def test_of_a_gate_that_a_lesson_leaves_out_nothing_is_learned() -> None:
    question = Lessons.of_cues([unlike(np.ones(5))], [True])
    event = Lessons.of_events([unlike(np.ones(5))], [Action.SUPERSEDE], [None])
    model = GateModel(torch.zeros(5, 1), 32, DIM)
    for lesson, silent in ((question, (Phase.WRITE, slice(0, 3))), (event, (Phase.READ, 3))):
        model.zero_grad()
        loss(model, tensors(lesson)).backward()
        assert model.theta.grad is not None
        assert (model.theta.grad[silent] == 0).all()
        rest = model.theta.grad.clone()
        rest[silent] = 1.0
        assert (rest != 0).all()


@pytest.mark.slow
def test_lessons_of_texts(small_text: ModelSpec) -> None:
    """Events that come again, and questions on what is stored and on what is not, whose statements share no word."""
    groups = [{f"the cat {i} sat on mat {7 * i}": [f"who sat on mat {7 * i}"]} for i in range(40)]
    told = lessons(small_text, FakeEmbedder(), Texts([*groups, {"good morning": []}, {"good night": []}]))
    assert {READ_OUT, HOLD_BACK, "write", "renew"} <= set(told.right)
    assert told.sizes.shape == (len(told.right), 5)
    assert told.wanted.shape == (len(Phase), len(told.right), len(GATES))
    again = told.sizes[[right == "renew" for right in told.right]]
    assert (again[:, :4] == 0).all()
    assert (again[:, 4] == 0).any()  # in a memory of one no word tells anything
    counts = Counter(told.right)
    assert counts[READ_OUT] >= ROUNDS * len(MEMORIES) * 40  # each question once for each division into memories, and what is repeated
    assert 0 < counts[HOLD_BACK] <= counts[READ_OUT]


def test_a_model_without_gates_has_none_to_train(small_text: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no \[gates\] to train"):
        train(small_text, FakeEmbedder(), tmp_path / "gates.safetensors")


def test_the_surrogate_has_no_second_derivative() -> None:
    above, weights = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    (first,) = torch.autograd.grad((weights * Escape.apply(above, torch.zeros(3))).sum(), above, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.slow
def test_phrases_tell_what_sizes_do_not() -> None:
    """Two kinds of event of one size: in one a phrase is replaced by another like it, in the other by one that is far from it."""
    rng, sizes = np.random.default_rng(1), np.array([100.0, 100.0, 5.0, 5.0, 30.0])
    seen = [unlike(sizes * rng.uniform(0.8, 1.2, 5), replaced(rng, i % 2 == 0)) for i in range(600)]
    told = Lessons.of_events(seen, [Action.SUPERSEDE if i % 2 else Action.WRITE for i in range(600)], [None] * 600)
    sized, phase, cells, phrases, _ = tensors(told)
    assert not cells[phase == Phase.READ].any()
    assert not phrases[phase == Phase.READ].any()
    assert cells[phase == Phase.WRITE].any(1).all()
    torch.manual_seed(0)
    model = GateModel(torch.tensor(levels(told.sizes), dtype=torch.float32), 32, DIM)
    fit(model, tensors(told), loss, replace(SETTINGS, epochs=60, batch=128, patience=None, device="cpu"), progress=lambda *_: None)
    assert max(wrong for _, wrong in examine(model, told).values()) < 0.1
    names = "onto_contrast", "phrases", "onto_gate", "out"
    arrays = {name: p.detach().numpy().astype(float) for name, p in (*model.named_parameters(), *model.named_buffers())}
    trained = GateCells(*(arrays[n] for n in ("levels", "synapses", "theta")), 32, ContrastCells(*(arrays[n] for n in names)))  # type: ignore[arg-type]
    assert np.mean([trained.judge(0, m, 0).action.value == right for m, right in zip(seen, told.right, strict=True)]) > 0.9
    write = phase == Phase.WRITE
    model.eval()
    with torch.no_grad():
        expected = model(sized[write], phase[write], cells[write], phrases[write]).numpy() + 1
    received = np.array([trained.received(m)[Phase.WRITE] for m in seen])
    assert (
        np.mean(np.abs(received - expected).max(1) < 0.01) > 0.98
    )  # weights are rounded, so that a contrast cell near its threshold may differ


def test_a_memory_wrongly_superseded_counts_more() -> None:
    wanted = torch.tensor([[1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0], [float("nan")] * 4])
    assert cost(wanted)[:, 1].tolist() == [DEAR, 1.0, 1.0]
    assert (cost(wanted)[:, [0, 2, 3]] == 1).all()


def test_gates_of_other_vectors_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "gates.safetensors", GateModel(torch.zeros(5, 1), 32, DIM))
    spec = ModelSpec.model_validate({"lex": {}, "gates": {"weights": str(path)}})
    with pytest.raises(SpecError, match="trained on vectors of 8 dimensions, not of 384"):
        GateCells.of(spec)


@pytest.mark.slow
def test_pairs_are_of_kinds_that_exclude_one_another() -> None:
    made = pairs(40, np.random.default_rng(0))
    assert made == pairs(40, np.random.default_rng(0))
    assert {pair.kind for pair in made} == set(PairKind)
    assert all(pair.first != pair.second and "{" not in pair.first + pair.second for pair in made)
    for kind in load_kinds():
        assert all(frame.count("{v}") == 1 and frame.endswith(".") for frame in kind.frames)
        assert len(kind.values) >= 2


def test_pairs_of_captions() -> None:
    made = caption_pairs(30, Filler(np.random.default_rng(0)))
    assert made == caption_pairs(30, Filler(np.random.default_rng(0)))
    assert {pair.kind for pair in made} == {PairKind.UPDATE, PairKind.BESIDE, PairKind.ALIKE}
    for first, second, _ in made:
        assert first != second
        assert all(re.fullmatch(r"[A-Z][\w',\- ]+\.", text) for text in (first, second))
        assert not re.search(r"(?<!of )(?:men|women|boys|children|girls|people) is |(?:A|The) (?:man|boy|girl) are ", f"{first} {second}")


def test_qualities_exclude_others_of_their_kind_alone() -> None:
    said = load_captions()
    kinds = {phrase: i for i, kind in enumerate(said["% thing"]) for phrase in kind.split(" / ")}
    assert len(kinds) == sum(kind.count(" / ") + 1 for kind in said["% thing"])  # no phrase is of two kinds
    fill = Filler(np.random.default_rng(0))
    for first, second, kind in (_qualities(fill, said) for _ in range(200)):
        of = [[kinds[p] for p in kinds if re.search(rf" is {p}\b", text)] for text in (first, second)]
        if all(len(found) == 1 for found in of):
            assert (of[0] == of[1]) == (kind is PairKind.UPDATE)


def test_no_held_out_pair_is_taught() -> None:
    held_out = json.loads(HELD_OUT.read_text(encoding="utf-8"))
    taught = {frozenset(pair[:2]) for pair in caption_pairs(300, Filler(np.random.default_rng(0)))}
    assert not taught & {frozenset(pair) for some in held_out.values() for pair in some}


def test_a_text_of_two_parts_is_turned() -> None:
    assert turned("Have a good one, see ya!") == "See ya, have a good one!"
    assert turned("Ada: Well, well.") is turned("One, two, three.") is turned("No parts.") is None
