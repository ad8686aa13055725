"""Invented data sets, a few lines each, in the forms in which the real ones are published."""

import json
from pathlib import Path
from typing import Any


def put(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def turn(name: str, speaker: str, text: str, **more: str) -> dict[str, str]:
    return {"dia_id": name, "speaker": speaker, "text": text, **more}


def ask(question: str, category: int, *evidence: str) -> dict[str, Any]:
    return {"question": question, "answer": "x", "evidence": list(evidence), "category": category}


def locomo(data: Path) -> None:
    talk = {
        "speaker_a": "Ann", "speaker_b": "Bo",
        "session_10_date_time": "9:05 am on 3 June, 2023", "session_10": [turn("D10:1", "Bo", "The boat is sold.")],
        "session_2_date_time": "1:56 pm on 8 May, 2023",
        "session_2": [turn("D2:1", "Ann", "I keep bees."), turn("D2:2", "Bo", "Look at this!", blip_caption="a red boat")],
        "session_11_date_time": "9:05 am on 4 June, 2023",
    }  # fmt: skip
    qa = [
        ask("Who keeps bees?", 4, "D2:1"), ask("What happened to the boat?", 1, "D2:2; D10:1"), ask("Why?", 3),
        ask("Who knows?", 2, "D", "D9:9"),        ask("When was the boat sold?", 5, "D10:1", "D:11:26"),
    ]  # fmt: skip
    put(data / "locomo/talks.json", [{"sample_id": "conv-1", "conversation": talk, "qa": qa}])


def session(*said: str) -> list[dict[str, str]]:
    return [{"role": "user" if i % 2 == 0 else "assistant", "content": text} for i, text in enumerate(said)]


def longmemeval(data: Path) -> None:
    hay = {
        "question_type": "multi-session", "question_date": "2023/06/01 (Thu) 00:58",
        "haystack_dates": ["2023/05/25 (Thu) 20:21", "2023/05/27 (Sat) 10:20", "2023/05/28 (Sun) 07:00"],
        "haystack_session_ids": ["answer_1", "hay", "answer_2"],
        "haystack_sessions": [session("I ran 5 km.", "Well done."), session("A soup?", " "), session("I ran 10 km.")],
    }  # fmt: skip
    one = {**hay, "question_id": "q1", "question": "How far did I run?", "answer": "15 km", "answer_session_ids": ["answer_1", "answer_2"]}
    none = {**one, "question_id": "q2_abs", "question": "How far did I swim?"}
    several = {
        **hay, "question_id": "q3", "questions": ["How far did I run?", "Which dish?"], "answers": ["15 km", "soup"],
        "answer_session_ids": [["answer_1", "answer_2"], ["hay"]],
    }  # fmt: skip
    put(data / "longmemeval/sample.json", [one, none])
    put(data / "longmemeval/several.json", [several])


def hotpotqa(data: Path) -> None:
    put(data / "hotpotqa/dev_corpus.json", {"Rhine": ["A river.", " It is long."], "Basel": ["A town on the Rhine."], "Oslo": ["A port."]})
    facts = {"supporting_facts": [["Rhine", 0], ["Rhine", 1], ["Basel", 0]], "type": "bridge"}
    put(data / "hotpotqa/dev.json", [{"question": "How long is Basel's river?", **facts}])


def musique(data: Path) -> None:
    passages = [("Rhine", "A river."), ("Rhine", "A film."), ("Basel", "A town.")]
    put(data / "musique/musique_corpus.json", [{"title": title, "text": text} for title, text in passages])
    paragraphs = [
        {"title": t, "paragraph_text": p, "is_supporting": right} for (t, p), right in zip(passages, (False, True, True), strict=True)
    ]
    put(data / "musique/musique.json", [{"id": "2hop__1_2", "question": "Which film was shot in Basel?", "paragraphs": paragraphs}])


def stsb(data: Path) -> None:
    rows = [
        ("5.000", "A man sings.", "A man is singing."), ("1.0", "A man is singing.", 'A "dog" runs.'),
        ("4.000", "A girl sings.", "A man is singing."), ("4.5", "It rains.", "It rains."),
    ]  # fmt: skip
    put(data / "stsbenchmark/sts-dev.csv", "".join("\t".join(("g", "f", "2012", "0001", *row)) + "\n" for row in rows))


def mrpc(data: Path) -> None:
    rows = [("1", "1", "2", "He sold the boat.", 'He "sold" his boat.'), ("0", "3", "4", "She left.", "She came.")]
    head = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    put(data / "mrpc/msr-para-test.tsv", head + "".join("\t".join(row) + "\n" for row in rows))


def banking77(data: Path) -> None:
    put(data / "banking77/train.csv", 'text,category\nWhere is my card?,arrival\n"My card, it is lost",lost\nNo card came,arrival\n')
    put(data / "banking77/test.csv", 'text,category\nMy card has not come,arrival\n"I lost it, sorry",lost\n')


def everything(data: Path) -> None:
    for part in (locomo, longmemeval, hotpotqa, musique, stsb, mrpc, banking77):
        part(data)
