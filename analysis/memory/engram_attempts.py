"""One recall of the engram model, attempt by attempt, with and without CA3's recurrent synapses.

    python analysis/memory/engram_attempts.py

Stores the sentences that ship with spikemem, cues one by a paraphrase, and draws CA3's spikes: docs/attempts.png.
"""

import argparse
from pathlib import Path

from spikemem import Hippocampus, load_model, plots
from spikemem.memory.embed import SentenceEmbedder
from spikemem.report.demo import load_corpus

WIDTH = 1000

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--attempts", type=int, default=3)
parser.add_argument("--out", type=Path, default=Path("docs/attempts.png"))


def main() -> None:
    args = parser.parse_args()
    corpus, embedder = load_corpus(), SentenceEmbedder()
    texts, alone = corpus.texts[:500], corpus.alone[0]
    memory = Hippocampus(load_model("hippocampus-engram-small"))
    memory.store(embedder.embed(texts))
    cue = corpus.cues[alone][0]
    found = memory.recall(embedder.embed([cue]), args.attempts, record=True)
    names = [texts[i] if len(texts[i]) < 40 else f"{texts[i][:38]}…" for i in found.ids[0]]
    assert found.recording is not None
    figure = plots.attempts(found.recording, memory.engrams(found.ids[0]), names, title=f"“{cue}”")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=WIDTH / figure.get_figwidth())
    print(f"drew {args.out}: {', '.join(names)}")


if __name__ == "__main__":
    main()
