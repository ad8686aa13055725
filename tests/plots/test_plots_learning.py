"""Figures of what learns show what they were given, and refuse what cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from spikemem import plots
from spikemem.errors import StimulusError
from spikemem.plots.style import RATE, SPIKING


def written(figure: Figure, folder: Path) -> int:
    """The size of a figure's file."""
    figure.savefig(folder / "figure.png")
    return (folder / "figure.png").stat().st_size


@pytest.mark.slow
def test_losses_are_drawn_by_step_and_validations_by_epoch(tmp_path: Path) -> None:
    figure = plots.losses({"rate": [4.0, 2.0, 1.0, 0.5], "spiking": [1.0, 0.5]}, {"rate": [1.5, 0.75]})
    (axes,) = figure.axes
    course, mean, held, _, other = axes.lines
    np.testing.assert_array_equal(course.get_xydata(), [[1, 4.0], [2, 2.0], [3, 1.0], [4, 0.5]])
    np.testing.assert_array_equal(held.get_xydata(), [[2, 1.5], [4, 0.75]])
    assert held.get_color() == course.get_color() == mean.get_color() == RATE
    assert other.get_color() == SPIKING
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["rate", "spiking"]
    assert written(figure, tmp_path) > 5_000


def test_a_long_loss_has_its_running_mean() -> None:
    curve = np.arange(1.0, 401.0)
    _, mean = plots.losses({"rate": curve}).axes[0].lines
    np.testing.assert_allclose(mean.get_xydata(), np.stack([curve[3:], curve[3:] - 1.5], axis=1))  # of four steps


@pytest.mark.parametrize("curves", [{}, {"rate": []}, {"rate": [1.0], "spiking": []}])
def test_no_loss_is_no_figure(curves: dict[str, list[float]]) -> None:
    with pytest.raises(StimulusError, match="no loss was noted"):
        plots.losses(curves)


@pytest.mark.slow
def test_gates_have_a_panel_each_and_a_row_for_each_sentence(tmp_path: Path) -> None:
    sentences = ["nora goes to the tower", "nora takes the map", "idris walks to the cellar"]
    gates = {"update": np.linspace(0, 1, 12).reshape(3, 4), "reset": np.full((3, 2), 0.5)}
    figure = plots.story_gates(sentences, gates, title="a tale")
    update, reset, _ = figure.axes
    np.testing.assert_array_equal(update.images[0].get_array(), gates["update"])
    np.testing.assert_array_equal(reset.images[0].get_array(), gates["reset"])
    assert update.images[0].get_clim() == reset.images[0].get_clim() == (0.0, 1.0)
    assert [label.get_text() for label in update.get_yticklabels()] == sentences
    assert [axes.get_title() for axes in (update, reset)] == ["update", "reset"]
    assert written(figure, tmp_path) > 5_000


@pytest.mark.parametrize(
    ("sentences", "gates", "clue"),
    [
        (["one", "two"], {"update": np.ones((3, 4))}, r"gate 'update' has shape \(3, 4\); expected \[2, cell\]"),
        (["one"], {"reset": np.ones(4)}, "gate 'reset' has shape"),
        ([], {"update": np.ones((0, 4))}, "no sentence"),
        (["one"], {}, "no gate"),
    ],
)
def test_gates_that_do_not_fit_the_story_are_refused(sentences: list[str], gates: dict[str, np.ndarray], clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        plots.story_gates(sentences, gates)


@pytest.mark.slow
def test_changes_have_a_panel_for_each_name_with_its_points(tmp_path: Path) -> None:
    events = np.linspace(0.0, 1.0, 20)
    names = [f"{cell}, {data}" for data in ("one", "two") for cell in ("spiking", "rate", "rate-v1")]
    figure = plots.changes({name: (events, (0.5 + i) * events) for i, name in enumerate(names[:5])}, columns=3)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == [f"{name}: r = 1.000" for name in names[:5]]
    for i, axes in enumerate(shown):
        np.testing.assert_array_equal(axes.lines[1].get_xydata(), np.stack([events, (0.5 + i) * events], axis=1))
    assert shown[0].lines[1].get_color() == shown[3].lines[1].get_color() != shown[1].lines[1].get_color()
    assert written(figure, tmp_path) > 5_000


@pytest.mark.parametrize(
    ("likeness", "clue"),
    [({}, "no pair"), ({"rate": ([], [])}, "'rate'. has 0 and 0"), ({"rate": ([0.1, 0.2], [0.1, 0.2, 0.3])}, "'rate'. has 2 and 3")],
)
def test_pairs_that_do_not_fit_are_refused(likeness: dict[str, tuple[list[float], list[float]]], clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        plots.changes(likeness)


@pytest.mark.slow
def test_differences_are_drawn_beside_the_square_root_of_the_steps(tmp_path: Path) -> None:
    figure = plots.differences({"update": {4: 0.1, 16: 0.05}, "reset": {16: 0.02, 4: 0.04}})
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == ["update", "reset", "~ 1 / sqrt(T)"]
    assert lines[1].get_ydata().tolist() == [0.04, 0.02]
    assert lines[2].get_ydata().tolist() == pytest.approx([0.15, 0.075])
    assert written(figure, tmp_path) > 5_000


@pytest.mark.parametrize("apart", [{}, {"update": {}}])
def test_no_difference_is_no_figure(apart: dict[str, dict[int, float]]) -> None:
    with pytest.raises(StimulusError, match="no difference was measured"):
        plots.differences(apart)


def test_errors_are_bars_by_task_with_the_mean_in_the_legend(tmp_path: Path) -> None:
    figure = plots.task_errors({"spiking": {1: 0.0, 3: 10.0}, "EntNet": {1: 2.0, 3: 4.0}})
    (axes,) = figure.axes
    spiking, entnet = axes.containers
    assert [bar.get_height() for bar in spiking] == [0.0, 10.0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["spiking, mean 5.0 %", "EntNet, mean 3.0 %"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "3"]
    for task, (one, other) in enumerate(zip(spiking, entnet, strict=True)):
        assert one.get_x() + one.get_width() == pytest.approx(other.get_x()) == pytest.approx(task)
    assert written(figure, tmp_path) > 5_000


@pytest.mark.parametrize("errors", [{}, {"spiking": {}}])
def test_no_error_is_no_figure(errors: dict[str, dict[int, float]]) -> None:
    with pytest.raises(StimulusError, match="no task was measured"):
        plots.task_errors(errors)
