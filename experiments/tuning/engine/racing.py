"""Racing: which finalist gets the next seed, until it is clear which one is the best, or the runs are used up.

Every seed goes where it most raises the chance of choosing right: optimal computing budget allocation (Chen & Lee,
"Stochastic Simulation Optimization", World Scientific 2011). Of finalists whose seeds are equally noisy, one that is d
behind the leader should have values in proportion to w = 1 / d^2, and the leader to the root of the sum of w^2: near
rivals get most seeds, and what is far behind gets none. Next is the finalist that lacks most of its share.

What is known of a finalist is the mean over its runs, and the value of its trial as one run more. Trials became
finalists for being good, and so for being lucky: what the trials have on average beyond the runs is taken off them
first. Values are the objective on validation; test has no say. See docs/decisions/0023.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.special import stdtr

CANNOT_WIN = 0.01
"""A finalist is out of the race when the chance that it is better than the leader falls below this."""

_COMPARED_SEEDS = 2
"""The default configuration has so many in any case: how sure a difference to it is, follows from its spread."""

_SMALLEST_GAP = 0.01
"""In standard deviations of a seed: what is nearer to the leader than this counts as that near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Racer:
    """A finalist in the race.

    Attributes:
        number: number of its trial.
        runs: values of its runs.
        trial: value of its trial; None: it was not trained to its end, or not chosen by it, and does not count.
        in_flight: runs that have begun, and not ended.
        failed: runs that were given up.
        is_default: whether it is the default configuration, which the winner is compared with.
        may_win: whether it could ship; else it is there to be compared with.
    """

    number: int
    runs: Sequence[float] = ()
    trial: float | None = None
    in_flight: int = 0
    failed: int = 0
    is_default: bool = False
    may_win: bool = True

    @property
    def begun(self) -> int:
        """Seeds that it was given."""
        return len(self.runs) + self.in_flight + self.failed

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return "the default configuration" if self.is_default else f"trial {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What ends the race at the latest; every finalist has its first seed in any case.

    Attributes:
        seeds: of one finalist.
        runs: of all finalists.
        is_time_over: whether no seed may be begun any more.
    """

    seeds: int
    runs: int
    is_time_over: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is next.

    Attributes:
        number: number of the finalist that gets a seed; None: none of them.
        reason: why, in plain words.
    """

    number: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How good a finalist is, as far as it is known.

    Attributes:
        mean: of its values.
        values: how many: its runs, and its trial where that counts.
    """

    mean: float
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What seeds do to a value, pooled over the finalists.

    Attributes:
        sd: standard deviation.
        freedom: degrees of freedom.
    """

    sd: float
    freedom: int

    def chance(self, behind: Standing, leader: Standing) -> float:
        """How likely it is that what is behind is truly better than the leader."""
        gap, spread = leader.mean - behind.mean, self.sd * math.sqrt(1 / leader.values + 1 / behind.values)
        if not spread:
            return 0.5 if gap == 0 else 0.0
        return float(stdtr(self.freedom, -gap / spread))


def standings(racers: Sequence[Racer]) -> dict[int, Standing]:
    """What is known of each finalist, by its number; those without any value are left out."""
    with_both, excess = _lucky(racers)
    known = {}
    for racer in racers:
        values = [*racer.runs]
        if with_both and racer.trial is not None:
            values.append(racer.trial - excess)
        if values:
            known[racer.number] = Standing(mean=fmean(values), values=len(values))
    return known


def noise(racers: Sequence[Racer]) -> Noise | None:
    """How much seeds matter; None where no finalist has a second value."""
    with_both, excess = _lucky(racers)
    freedom = sum(max(0, len(racer.runs) - 1) for racer in racers) + max(0, len(with_both) - 1)
    if not freedom:
        return None
    squares = sum((value - fmean(racer.runs)) ** 2 for racer in racers for value in racer.runs)
    for racer, trial in with_both:
        squares += _weight(racer) * (trial - excess - fmean(racer.runs)) ** 2
    return Noise(sd=math.sqrt(squares / freedom), freedom=freedom)


def _lucky(racers: Sequence[Racer]) -> tuple[list[tuple[Racer, float]], float]:
    """Finalists with runs and a trial that counts, and what their trials have beyond the runs (least squares).

    Of a single one that says nothing: its trial would be moved to where its runs are.
    """
    with_both = [(racer, racer.trial) for racer in racers if racer.trial is not None and racer.runs]
    if len(with_both) < 2:
        return [], 0.0
    weights = sum(_weight(racer) for racer, _ in with_both)
    return with_both, sum(_weight(racer) * (trial - fmean(racer.runs)) for racer, trial in with_both) / weights


def _weight(racer: Racer) -> float:
    """How much the difference of its trial and the mean of its runs says: 1 / (1 + 1 / runs)."""
    return len(racer.runs) / (len(racer.runs) + 1)


def next_turn(racers: Sequence[Racer], bounds: Bounds) -> Turn:
    """Which finalist gets the next seed.

    Args:
        racers: all finalists, the best trial first.
        bounds: what ends the race at the latest.
    """
    contenders = _contenders(racers)
    compared_only = [racer for racer in racers if not racer.may_win and not racer.failed]
    if (first := _without_a_run([*contenders, *compared_only], bounds)) is not None:
        return Turn(first.number, "its first seed")
    if bounds.is_time_over:
        return Turn(None, "the time for finalists is over")
    if sum(racer.begun for racer in racers) >= bounds.runs:
        return Turn(None, "all runs are used")
    for racer in racers:
        if racer.is_default and racer.begun < min(_COMPARED_SEEDS, bounds.seeds):
            return Turn(racer.number, "the winner is compared with it, and how sure that is follows from two seeds")
    known = standings(racers)
    ranked = sorted(
        (racer for racer in contenders if racer.number in known), key=lambda r: (-known[r.number].mean, r.number)
    )
    if not ranked:
        return Turn(None, "no run has a result")
    return _race(ranked, known, noise(racers), bounds)


def _contenders(racers: Sequence[Racer]) -> list[Racer]:
    """Those that can win: a finalist that failed with a seed comes after those that failed less often."""
    fewest = min((racer.failed for racer in racers if racer.may_win), default=0)
    return [racer for racer in racers if racer.may_win and racer.failed == fewest]


def _without_a_run(racers: Sequence[Racer], bounds: Bounds) -> Racer | None:
    return next((r for r in racers if not r.runs and not r.in_flight and r.begun < bounds.seeds), None)


def _race(ranked: Sequence[Racer], known: Mapping[int, Standing], seeds: Noise | None, bounds: Bounds) -> Turn:
    """The turn once values are known.

    Args:
        ranked: who can win, from the leader down.
        known: what is known of each.
        seeds: what seeds do.
        bounds: what ends the race at the latest.
    """
    leader, *others = ranked
    first = known[leader.number]
    chances = {racer.number: None if seeds is None else seeds.chance(known[racer.number], first) for racer in others}
    rivals = [racer for racer in others if (chance := chances[racer.number]) is None or chance >= CANNOT_WIN]
    racing = [racer for racer in (leader, *rivals) if racer.begun < bounds.seeds]
    if not racing:
        return Turn(None, "all that can still win have all their seeds" if rivals else "the winner has all its seeds")
    if not rivals:
        alone = "no other can win any more" if others else "there is no other to choose from"
        return Turn(leader.number, f"{alone}; the rest of its seeds say how good it is")
    lacks = _lacks(leader, rivals, known, seeds)
    chosen = max(racing, key=lambda racer: lacks[racer.number])
    return Turn(chosen.number, _reason(chosen, leader, rivals[0], known, chances))


def _lacks(
    leader: Racer, rivals: Sequence[Racer], known: Mapping[int, Standing], seeds: Noise | None
) -> dict[int, float]:
    """How many values each lacks of its share, one more than there are being shared out."""
    smallest = max(_SMALLEST_GAP * (0.0 if seeds is None else seeds.sd), 1e-12)
    best = known[leader.number].mean
    wanted = {racer.number: max(best - known[racer.number].mean, smallest) ** -2 for racer in rivals}
    wanted[leader.number] = math.hypot(*wanted.values())
    have = {racer.number: known[racer.number].values + racer.in_flight for racer in (leader, *rivals)}
    per_share = (sum(have.values()) + 1) / sum(wanted.values())
    return {number: share * per_share - have[number] for number, share in wanted.items()}


def _reason(
    chosen: Racer, leader: Racer, nearest: Racer, known: Mapping[int, Standing], chances: Mapping[int, float | None]
) -> str:
    """Why a seed goes to the leader, or to one that is behind."""
    rival = nearest if chosen is leader else chosen
    gap, chance = known[leader.number].mean - known[rival.number].mean, chances[rival.number]
    if chosen is leader:
        likely = "" if chance is None else f", which is the better one with a chance of {100 * chance:.0f} %"
        return f"it leads, {gap:.4f} ahead of {rival.label}{likely}"
    likely = "" if chance is None else f", and better than that with a chance of {100 * chance:.0f} %"
    return f"it is {gap:.4f} behind {leader.label}{likely}"
