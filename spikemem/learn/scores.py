"""How good a model is on data that it is not trained on: accuracy, functions of one's own, and the metrics of torchmetrics."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from spikemem._checks import Checks, shown
from spikemem.errors import TrainingError

check = Checks(TrainingError)
Predict = Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, Tensor]]


def accuracy(predictions: Tensor, targets: Tensor) -> float:
    """The share of rows whose largest score is that of their class.   predictions: scores, [row, class].   targets: classes, [row].

    >>> accuracy(torch.tensor([[0.2, 0.8], [0.6, 0.4]]), torch.tensor([1, 1]))
    0.5
    """
    return (predictions.argmax(-1) == targets).double().mean().item()


def outputs_and_targets(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """What a model makes of all tensors of a batch but the last, and the last."""
    return model(*batch[:-1]), batch[-1]


class Scores:
    """Metrics of a model on data, by their names: `fit(..., metrics=Scores((x, y), accuracy=accuracy))`.

    data: tensors with a row for each sample, the targets last.
    batch: rows at a time.   predict: of a model and a batch, its predictions and the targets, with a row for each sample.
    metrics: functions of predictions and targets, whose mean over the rows is taken; or objects with the methods `update(predictions,
        targets)`, `compute()` and `reset()`, as torchmetrics and torcheval have them, which see batch after batch.

    Raises TrainingError for a metric that is neither, or one that gives no number.

    >>> x = torch.tensor([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    >>> Scores((x, torch.tensor([1, 1, 1])), batch=2, accuracy=accuracy)(nn.Identity())
    {'accuracy': 0.6666666666666666}
    """

    def __init__(self, data: Sequence[Tensor], *, batch: int = 256, predict: Predict = outputs_and_targets, **metrics: Any) -> None:
        self.data = check.instances(data, "data", Tensor, "give tensors with a row for each sample, the targets last")
        self.batch, self.predict, self.metrics = check.integer(batch, "batch", least=1), predict, metrics
        shapes = [tuple(part.shape) for part in self.data]
        if not metrics or not all(shape and shape[0] for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
            raise TrainingError(f"{len(metrics)} metrics of tensors of shapes {shapes}; give a metric at least, and all tensors equal rows")
        for name, metric in metrics.items():
            if not (callable(metric) or _accumulates(metric)):
                raise TrainingError(
                    f"the metric {name} is {shown(metric)}; give a function of predictions and targets, or a torchmetrics one"
                )

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> dict[str, float]:
        """The value of each metric, of a model in the mode and on the device that it has."""
        place = next((p.device for p in model.parameters()), torch.device("cpu"))
        sums = dict.fromkeys(self.metrics, 0.0)
        rows = len(self.data[0])
        for metric in filter(_accumulates, self.metrics.values()):
            metric.reset()
            if hasattr(metric, "to"):
                metric.to(place)
        for first in range(0, rows, self.batch):
            batch = tuple(part[first : first + self.batch].to(place) for part in self.data)
            predictions, targets = self.predict(model, batch)
            for name, metric in self.metrics.items():
                if _accumulates(metric):
                    metric.update(predictions, targets)
                else:
                    sums[name] += float(metric(predictions, targets)) * len(batch[0]) / rows
        return {name: float(metric.compute()) if _accumulates(metric) else sums[name] for name, metric in self.metrics.items()}


def _accumulates(metric: Any) -> bool:
    """Whether a metric sees batch after batch."""
    return all(callable(getattr(metric, method, None)) for method in ("update", "compute", "reset"))
