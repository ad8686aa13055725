"""Metrics beside a training: what they say, what they decide (nothing), and what a restart keeps of them."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikemem.errors import TrainingError
from spikemem.learn import Epoch, Scores, accuracy, fit
from tests.learn.test_loop import SHORT, Counting, StoppedError, data, loss


class Errors:
    """A metric as torchmetrics writes them, from nothing: the share of wrong rows."""

    def __init__(self) -> None:
        self.wrong, self.rows, self.resets = 0, 0, 0

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        self.wrong += int((predictions.argmax(-1) != targets).sum())
        self.rows += len(targets)

    def compute(self) -> Tensor:
        return torch.tensor(self.wrong / self.rows)

    def reset(self) -> None:
        self.wrong, self.rows, self.resets = 0, 0, self.resets + 1


def by_hand(model: nn.Module) -> float:
    x, y = data(300)
    mode = model.training
    with torch.no_grad():
        found = (model.eval()(x).argmax(-1) == y).float().mean().item()
    model.train(mode)
    return found


def test_each_epoch_has_its_metrics() -> None:
    told: list[Epoch] = []
    expected: list[float] = []

    def on_epoch(epoch: Epoch) -> None:
        told.append(epoch)
        expected.append(by_hand(model))

    model, errors = Counting(), Errors()
    history = fit(model, data(), loss, SHORT, metrics=Scores(data(300), batch=77, accuracy=accuracy, errors=errors), on_epoch=on_epoch)
    assert [epoch.metrics for epoch in told] == history.metrics
    assert [found["accuracy"] for found in history.metrics] == pytest.approx(expected)
    assert [found["errors"] for found in history.metrics] == pytest.approx([1 - share for share in expected])
    assert (errors.resets, errors.rows) == (4, 300)
    assert len(set(expected)) > 1


def test_metrics_decide_nothing_and_survive_a_stop(tmp_path: Path) -> None:
    scores, kept = Scores(data(300), accuracy=accuracy, errors=Errors()), replace(SHORT, checkpoint=tmp_path)

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise StoppedError

    whole = fit(Counting(), data(), loss, SHORT, metrics=scores)
    assert whole.losses == fit(Counting(), data(), loss, SHORT).losses
    with pytest.raises(StoppedError):
        fit(Counting(), data(), loss, kept, metrics=scores, on_epoch=stop)
    assert fit(Counting(), data(), loss, kept, metrics=scores).metrics == whole.metrics


def test_epochs_without_metrics_have_none_and_nan_is_kept(tmp_path: Path) -> None:
    settings = replace(SHORT, checkpoint=tmp_path)

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit(Counting(), data(), loss, settings, on_epoch=stop)
    found = fit(Counting(), data(), loss, settings, metrics=lambda model: {"none": math.nan}).metrics
    assert found[:2] == [{}, {}]
    assert [math.isnan(epoch["none"]) for epoch in found[2:]] == [True, True]
    assert len(fit(Counting(), data(), loss, settings).metrics) == 4


def test_metrics_are_measured_without_dropout_and_without_gradients() -> None:
    seen: list[tuple[bool, bool]] = []

    def metrics(model: nn.Module) -> Mapping[str, float]:
        seen.append((model.training, torch.is_grad_enabled()))
        return {"one": 1}

    fit(Counting(), data(), loss, replace(SHORT, epochs=1), metrics=metrics)
    assert seen == [(False, False)]


def test_torchmetrics_give_the_same() -> None:
    torchmetrics = pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    theirs = torchmetrics.classification.MulticlassAccuracy(num_classes=2, average="micro")
    found = Scores(data(300), batch=70, ours=accuracy, theirs=theirs)(Counting().eval())
    assert found["ours"] == pytest.approx(found["theirs"])


def test_bad_metrics_are_refused() -> None:
    one: Any
    for one, message in ((3, "the metric m is 3; give a function"), ("accuracy", "the metric m is 'accuracy'")):
        with pytest.raises(TrainingError, match=message):
            Scores(data(), m=one)
    with pytest.raises(TrainingError, match="0 metrics"):
        Scores(data())
    with pytest.raises(TrainingError, match=r"of tensors of shapes \[\(3,\), \(2,\)\]"):
        Scores((torch.zeros(3), torch.zeros(2)), m=accuracy)
    for given, message in (
        (3, "metrics is 3; it must be a function"),
        (lambda model: 0.5, r"what `metrics` gave is 0\.5; it must be a dict"),
    ):
        with pytest.raises(TrainingError, match=message):
            fit(Counting(), data(), loss, replace(SHORT, epochs=1), metrics=given)  # type: ignore[arg-type]
