"""The spike patterns of the comparison with snnTorch's own loop: what tells them apart, and that both models are the same one."""

import spike_patterns
import torch
from spike_patterns import Layers, Loop, patterns

SHAPE = (4, 30, 20)


def test_a_class_and_its_reverse_differ_in_time_and_not_in_counts() -> None:
    spikes, label = patterns(2000, *SHAPE, seed=0)
    assert spikes.shape == (2000, 20, 30)
    means = torch.stack([spikes[label == kind].mean(0) for kind in range(4)])  # [class, time, channel]
    for kind in (0, 1):
        torch.testing.assert_close(means[kind].flip(0), means[kind + 2], atol=0.09, rtol=0)
        assert (means[kind] - means[kind + 2]).abs().max() > 0.15
    counts = means.mean(1)
    assert (counts[0] - counts[2]).abs().max() < 0.025
    assert (counts[0] - counts[1]).abs().max() > 0.05


def test_a_seed_gives_other_samples_of_the_same_classes() -> None:
    (one, _), (same, _), (other, _) = (patterns(50, *SHAPE, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_both_models_are_the_same_one() -> None:
    rows, _ = patterns(8, *SHAPE, seed=0)
    made = []
    for build in (lambda: Layers((30, 50, 4), ()), lambda: Loop((30, 50, 4))):
        torch.manual_seed(0)
        model = build()
        counts = model(20.0 * rows)
        spike_patterns.loss(model, (20.0 * rows, torch.zeros(8, dtype=torch.long))).backward()
        made.append((counts, next(model.parameters()).grad))
    assert made[0][0].sum() > 20
    assert torch.equal(made[0][0], made[1][0])
    torch.testing.assert_close(made[0][1], made[1][1], rtol=1e-3, atol=1e-4)
    assert made[0][1].abs().sum() > 0
