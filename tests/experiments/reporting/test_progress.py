"""The display of a running search, on a terminal and in a log file."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from experiments.reporting import progress
from experiments.reporting.display import Display
from experiments.reporting.progress import Progress
from experiments.tuning.study.summary import FinalistFailure
from narm.pulse import EpochProgress

PARAMS = {"learning_rate": 0.0123456, "dropout_probs": (0.25, 0.5)}


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def plain() -> Console:
    return Console(file=io.StringIO(), force_terminal=False)


def live(width: int = 120) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width)


@contextmanager
def showing(
    total_trials: int, *, most_epochs: int, console: Console, quiet: bool = False, time_budget: float | None = None
) -> Iterator[Progress]:
    """The progress of a study on a display of its own."""
    with (
        Display(console, quiet=quiet) as display,
        Progress(total_trials, "MRR@10", most_epochs=most_epochs, display=display, time_budget=time_budget) as progress,
    ):
        yield progress


def text(console: Console) -> str:
    """What was written, without colours and cursor movements."""
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def test_a_log_gets_one_line_a_finished_trial(clock: Clock) -> None:
    console = plain()
    with showing(4, most_epochs=8, console=console) as shown:
        shown.started(0, PARAMS)
        shown.started(1, PARAMS)
        shown.epoch(0, 1, 0.03)
        shown.epoch(0, 2, 0.04)
        shown.epoch(1, 1, None)
        clock.now += 60
        shown.finished(0, "COMPLETE", 0.04)
        clock.now += 40
        shown.finished(1, "FAIL", None)
        shown.started(2, PARAMS)
        shown.epoch(2, 1, 0.01)
        shown.finished(2, "PRUNED", 0.01)
    assert text(console).splitlines() == [
        "[2/4 trials, 3 epochs] trial 0 complete at epoch 2, MRR@10 0.0400, "
        "best so far: learning_rate=0.01235 dropout_probs=[0.25, 0.5], at most 1 min 40 s left",
        "[2/4 trials, 3 epochs] trial 1 failed at epoch 1, at most 2 min 47 s left",
        "[3/4 trials, 4 epochs] trial 2 pruned at epoch 1, MRR@10 0.0100, at most 1 min 40 s left",
    ]


@pytest.mark.usefixtures("clock")
def test_a_model_without_options_has_none_to_show() -> None:
    console = plain()
    with showing(1, most_epochs=1, console=console) as shown:
        shown.started(0, {})
        shown.finished(0, "COMPLETE", 0.2)
    assert "best so far:" not in text(console)
    assert "best so far" in text(console)


@pytest.mark.usefixtures("clock")
def test_only_a_new_best_shows_its_parameters() -> None:
    console = plain()
    with showing(9, most_epochs=90, console=console) as shown:
        for number, value in enumerate([0.2, 0.1, 0.2, 0.3]):
            shown.started(number, {"n_layers": number})
            shown.finished(number, "COMPLETE", value)
    found = ["best so far" in line for line in text(console).splitlines()]
    assert found == [True, False, False, True]  # an equal value does not displace the earlier trial


def test_a_terminal_shows_counts_best_and_running_trials(clock: Clock) -> None:
    console = live()
    with showing(10, most_epochs=100, console=console) as shown:
        for number in range(4):
            shown.started(number, {"n_layers": number})
        clock.now += 30
        shown.epoch(3, 2, 0.05)
        shown.finished(0, "COMPLETE", 0.04)
        shown.finished(1, "PRUNED", 0.09)
        shown.finished(2, "FAIL", None)
    lines = text(console).splitlines()
    assert (
        "4/10 trials · 2 epochs · 1 running · 0 paused · 1 complete · 1 pruned · 1 failed · at most 24 min 30 s left"
        in lines
    )
    assert "best  MRR@10 0.0900  trial 1  n_layers=1" in lines
    assert "trial 3  epoch 2  0.0500  n_layers=3" in lines


def test_a_log_has_no_control_characters_even_with_markup_in_a_value() -> None:
    console = plain()
    with showing(1, most_epochs=10, console=console) as shown:
        shown.started(0, {"space": "[bold]\\"})
        shown.finished(0, "COMPLETE", 0.5)
    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()
    assert "space=[bold]\\" in console.file.getvalue()


@pytest.mark.parametrize("width", [1, 10, 30, 79])
def test_a_narrow_terminal_is_not_overrun(width: int) -> None:
    console = live(width)
    with showing(200, most_epochs=2000, time_budget=3600, console=console) as shown:
        shown.started(0, PARAMS | {"a_rather_long_name": "x" * 100})
        shown.epoch(0, 3, 0.02)
    lines = text(console).rstrip().splitlines()
    assert max(map(len, lines)) <= width
    assert lines[-1].endswith("…")


def test_every_count_is_readable_on_a_narrow_terminal() -> None:
    console = live(30)
    with showing(200, most_epochs=2000, time_budget=3600, console=console):
        pass
    for word in ("0/200 trials", "0 epochs", "0 running", "0 pruned", "0 failed", "left"):
        assert word in " ".join(text(console).split())


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = live()
    with showing(2, most_epochs=20, console=console) as shown:
        shown.started(0, PARAMS)
        shown.finished(0, "COMPLETE", 0.5)
    assert isinstance(console.file, io.StringIO)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", console.file.getvalue())


@pytest.mark.parametrize("console", [plain, live])
def test_quiet_shows_nothing(console: Callable[[], Console]) -> None:
    silent = console()
    with showing(2, most_epochs=20, quiet=True, console=silent) as shown:
        shown.started(0, PARAMS)
        shown.epoch(0, 1, 0.1)
        shown.finished(0, "COMPLETE", 0.1)
    assert text(silent) == ""


def test_the_time_left_is_what_ends_first(clock: Clock) -> None:
    with showing(3, most_epochs=12, time_budget=100, console=plain()) as shown:
        assert shown._time_left() == "at most 1 min 40 s"
        clock.now += 10
        shown.started(0, PARAMS)
        shown.epoch(0, 2, 0.1)
        assert shown._time_left() == "at most 50 s"
        clock.now += 75
        assert shown._time_left() == "at most 15 s"
        clock.now += 75
        assert shown._time_left() == "at most 0 s"


def test_what_an_earlier_session_trained_says_nothing_of_the_speed(clock: Clock) -> None:
    with showing(3, most_epochs=12, console=plain()) as shown:
        shown.known(0, PARAMS, 6, 0.1, "PRUNED")
        assert shown._time_left() is None
        shown.started(1, PARAMS)
        clock.now += 10
        shown.epoch(1, 1, 0.1)
        assert shown._time_left() == "at most 50 s"  # 5 of 12 epochs are left, 10 s each


def test_a_search_that_waits_after_an_epoch_each_is_not_nearly_done(clock: Clock) -> None:
    with showing(2, most_epochs=20, console=plain()) as shown:
        for number in range(2):
            shown.started(number, PARAMS)
            clock.now += 5
            shown.epoch(number, 1, 0.1)
            shown.paused(number)
        assert shown._time_left() == "at most 1 min 30 s"


def test_the_display_ends_when_the_search_fails() -> None:
    console = live()
    with pytest.raises(KeyboardInterrupt), showing(3, most_epochs=30, console=console):
        raise KeyboardInterrupt
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().endswith("\x1b[?25h")  # the cursor is back


def beside_each_other(console: Console) -> None:
    """Two studies of a comparison: the second begins before the first is over."""
    with Display(console) as display:
        first = Progress(1, "MRR@10", most_epochs=1, display=display, label="narm")
        second = Progress(1, "MRR@10", most_epochs=1, display=display, label="sr")
        with second:
            with first:
                for shown, value in ((first, 0.3), (second, 0.2)):
                    shown.started(0, {})
                    shown.epoch(0, 1, value)
                first.finished(0, "COMPLETE", 0.3)
            second.finished(0, "COMPLETE", 0.2)


@pytest.mark.usefixtures("clock")
def test_lines_say_of_which_study_they_are() -> None:
    console = plain()
    beside_each_other(console)
    assert [line.partition(" complete")[0] for line in text(console).splitlines()] == [
        "narm: [1/1 trials, 1 epoch] trial 0", "sr: [1/1 trials, 1 epoch] trial 0",
    ]  # fmt: skip


@pytest.mark.usefixtures("clock")
def test_how_a_study_ended_stays_on_the_terminal() -> None:
    console = live()
    beside_each_other(console)
    ends = [line for line in text(console).splitlines() if "1 complete" in line and line.startswith(("narm", "sr"))]
    assert [line.split(" · ")[0] for line in ends[-2:]] == ["narm", "sr"]


def test_what_breaks_a_constraint_is_named_and_counts_as_no_trial():
    console = plain()
    with showing(4, most_epochs=40, console=console) as shown:
        shown.started(0, PARAMS)
        shown.epoch(0, 1, 0.9, may_ship=False)  # the default configuration
        shown.started(1, {"hidden_size": 512})
        shown.skipped(1, "infeasible: megabytes 61.2 (at most 50)")
        shown.started(2, {"hidden_size": 64})
        shown.epoch(2, 1, 0.1)
        shown.finished(2, "COMPLETE", 0.1)
    first, second = text(console).splitlines()
    assert first == "trial 1 is not trained, infeasible: megabytes 61.2 (at most 50): hidden_size=512"
    assert second.startswith("[2/4 trials, 2 epochs] trial 2 complete at epoch 1, MRR@10 0.1000, best so far: hidden")
    on_terminal = live()
    with showing(4, most_epochs=40, console=on_terminal) as shown:
        shown.started(1, {"hidden_size": 512})
        shown.skipped(1, "infeasible: megabytes 61.2 (at most 50)")
    assert "0/4 trials" in text(on_terminal)
    assert "1 infeasible" in text(on_terminal)


def within(seconds: float, epoch: int = 1) -> EpochProgress:
    return EpochProgress(epoch=epoch, n_targets=round(1000 * seconds), expected=100_000, seconds=seconds)


def test_a_log_gets_one_line_a_minute_of_all_long_epochs_together(clock: Clock) -> None:
    console = plain()
    with showing(4, most_epochs=4, console=console) as shown:
        for number in range(2):
            shown.started(number, PARAMS)
        for second in range(15, 95, 15):
            clock.now += 15
            for number in range(2):
                shown.within_epoch(number, within(second))
        shown.epoch(0, 1, 0.1)
        shown.finished(0, "COMPLETE", 0.1)
        clock.now += 50
        shown.within_epoch(1, within(100))
    first, last = text(console).splitlines()
    assert first == (
        "[2/4 trials, 0 epochs] trial 0 in epoch 1, 60 % of 100,000 targets, 40 s left; "
        "trial 1 in epoch 1, 60 % of 100,000 targets, 40 s left"
    )
    assert last.startswith("[2/4 trials, 1 epoch] trial 0 complete")


def test_a_terminal_shows_how_far_each_epoch_is_and_the_time_left_before_the_first_ends(clock: Clock) -> None:
    console = live()
    with showing(4, most_epochs=4, console=console) as shown:
        shown.started(0, {"n_layers": 1})
        clock.now += 50
        shown.within_epoch(0, within(50, epoch=1))
        clock.now += 25
    assert "trial 0  epoch 1, 75 % of 100,000 targets, 25 s left  n_layers=1" in text(console)
    assert "at most 5 min 25 s left" in text(console)  # 3.25 epochs of 100 s


def test_finalists_are_shown_while_they_train(clock: Clock) -> None:
    console = live()
    with showing(4, most_epochs=4, console=console) as shown:
        shown.finalists(2)
        shown.within_epoch(3, within(50), seed=11)
        shown.within_epoch(5, within(25), seed=12)
        shown.finalist_done(FinalistFailure(number=3, seed=11, reason="diverged"))
    assert "finalist 5, seed 12,  epoch 1, 25 % of 100,000 targets, 1 min 15 s left" in text(console)
    assert "finalist 3" not in text(console).split("1/2 runs of finalists")[-1]
