"""What a study is to do, checked before anything starts.

A setting of the search is one field: flags, resolution, bounds and what `--resume` restores follow from it. What
computes is imported where it is used, since the help of the command line is made of this module too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Settings
from experiments.tuning.optimizer.schedulers import SCHEDULERS
from experiments.tuning.study import setting_rules as rules
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.names import check_name
from experiments.tuning.study.recipe_trial import RecipeTrial, fit_recipe
from experiments.tuning.study.setting import Derived, FlagGroup, setting, settings
from experiments.tuning.worker.addresses import absolute_tracking_uri, address_below
from narm.config import Config
from narm.errors import InputError
from narm.machine.capacity import cores
from narm.machine.device import DEVICES, resolve_device
from narm.model_options import check_used, searchable_options
from narm.models import MODELS
from narm.text.text_file import located

if TYPE_CHECKING:
    from experiments.tuning.optimizer.scheduler import Scheduler
    from experiments.tuning.study.constraints import Constraint
    from experiments.tuning.study.objectives import Objective
    from narm.data.sessions import HeldOut, Refit
    from search_spaces.recipe import Recipe
    from search_spaces.space import SearchSpace

WHAT = FlagGroup("what to search")
HOW = FlagGroup("how, and how much")
BEGINNING = FlagGroup("where to begin", rare=True)
STOPPING = FlagGroup("how trials are stopped", rare=True)
FINALISTS = FlagGroup("how finalists are trained", rare=True)
ENDS = FlagGroup("what ends a search", rare=True)
MACHINES = FlagGroup("on which machines", rare=True)
PLACES = FlagGroup("where results go", rare=True)


SHIPS = ("single", "bag")
"""What may ship of a configuration's runs over seeds."""

REFITS = ("auto", "none", "valid", "all")
"""What the runs that ship may be trained on again, beside train."""


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """A study: what is searched, how, for how long, and where its results go.

    Raises:
        InputError: a field has a wrong value, or fields do not fit together.
    """

    name: str
    """Name of the study, and of its folder in `output`."""

    config: Config = setting(store=Config.flat, restore=Config.from_flat)
    """The default configuration, which the space varies. It has two settings of the study: epochs of a trial at most,
    and the seed of every draw."""

    space: SearchSpace = setting(
        "--space",
        group=WHAT,
        metavar="FILE",
        help="a space (.yaml, .hyper), recbole, narm, a model's name",
        read=rules.read_space,
        store=rules.store_space,
        restore=rules.restore_space,
    )
    """What is searched."""

    objectives: tuple[Objective, ...] = setting(
        "--objective",
        "--valid_metric",
        group=WHAT,
        metavar="METRIC",
        help="metric to maximise; then costs: MRR@10,n_parameters",
        read=rules.read_objectives,
        store=rules.store_objectives,
        restore=rules.read_objectives,
        default=Derived(rules.default_objectives),
    )
    """The first is the config's `valid_metric`; others are costs."""

    constraints: tuple[Constraint, ...] = setting(
        "--constraint",
        group=WHAT,
        metavar="BOUND",
        help="'megabytes <= 50': what may ship; n_parameters, request_ms; repeatable",
        repeatable=True,
        read=rules.read_constraints,
        store=rules.store_constraints,
        restore=rules.read_constraints,
        default=(),
    )
    """What a model may cost at most to be shipped."""

    sampler: str = setting(
        "--sampler",
        group=HOW,
        metavar="NAME",
        read=partial(rules.known_name, "sampler", SAMPLERS),
        help=f"{', '.join(SAMPLERS)} (default: gp where ranges are continuous, else tpe)",
        default=Derived(rules.default_sampler),
    )
    """Key of `SAMPLERS`."""

    scheduler: str = setting(
        "--scheduler",
        group=HOW,
        metavar="NAME",
        read=partial(rules.known_name, "scheduler", SCHEDULERS),
        help=f"{', '.join(SCHEDULERS)} (default: asha)",
        default=Derived(rules.default_scheduler),
    )
    """Key of `SCHEDULERS`."""

    trials: int = setting("--trials", group=HOW, metavar="N", help="configurations to try at most", kind=int, least=1)
    """Trials in the end, at most; fewer when the space has no more configurations."""

    time_budget: float | None = setting(
        "--time-budget",
        group=HOW,
        metavar="TIME",
        help="90s, 10m, 2h, none; finalists come on top",
        read=rules.read_duration,
    )
    """Seconds of this session; None: no limit."""

    finalists: int = setting(
        "--finalists",
        group=HOW,
        metavar="K",
        help="train the best K again, judge on test; 0: none",
        kind=int,
        least=0,
    )
    """How many of the best are trained again over seeds, at most; 0: none."""

    finalist_seeds: int = setting(
        "--finalist-seeds", "--seeds", group=HOW, metavar="N", help="with up to N new seeds each", kind=int, least=1
    )
    """How often each finalist is trained, at most."""

    finalist_runs: int | None = setting(
        "--finalist-runs",
        group=FINALISTS,
        metavar="N",
        help="N runs of all finalists at most",
        kind=int,
        least=1,
        default=None,
    )
    """Runs of all finalists together, at most; None: as many as finalists and seeds allow."""

    finalist_time: float | None = setting(
        "--finalist-time",
        group=FINALISTS,
        metavar="TIME",
        help="finalists begin no more seeds after so long",
        read=partial(rules.read_duration, what="finalist time"),
        default=None,
    )
    """Seconds after which no finalist is given another seed; each has its first in any case. None: no limit."""

    finalist_epochs: int | None = setting(
        "--finalist-epochs",
        group=FINALISTS,
        metavar="N",
        read=rules.read_finalist_epochs,
        help="epochs of a finalist at most (default: auto, its early stop)",
        least=1,
        default=None,
    )
    """Epochs of a finalist at most, but no fewer than a trial's; None: until its early stopping ends it."""

    ship: str = setting(
        "--ship",
        group=HOW,
        metavar="WHAT",
        read=partial(rules.known_name, "ship", SHIPS),
        help="single: the best run (default); bag: all as one model",
        default="single",
    )
    """Of the runs of the configuration to ship: the one that was best on validation, or all as one model."""

    refit: Literal["auto", "none", "valid", "all"] = setting(
        "--refit",
        group=HOW,
        metavar="WHAT",
        read=partial(rules.known_name, "refit", REFITS),
        help="valid, all or none: what ships learns it, too",
        default="auto",
    )
    """What the runs that ship are trained on once more, beside train: validation, or test as well; auto: validation,
    where whole sessions are held out."""

    against: str | None = setting(
        "--against",
        group=HOW,
        metavar="MODEL",
        read=rules.read_against,
        help="a checkpoint, or champion: keep it unless beaten",
        store_in=rules.store_against,
        restore=rules.restore_against,
        default=None,
    )
    """A model that a person has, and keeps unless validation prefers what could be shipped; None: none is named."""

    concurrency: int = setting(
        "--concurrency",
        group=HOW,
        metavar="N",
        help="trials at once (default: one a core)",
        kind=int,
        least=1,
        default=Derived(rules.default_concurrency),
    )
    """Trials at once."""

    grace_epochs: int | None = setting(
        "--grace-epochs",
        group=STOPPING,
        metavar="N",
        help="epochs that the scheduler gives every trial",
        kind=int,
        least=1,
    )
    """Epochs that the scheduler gives every trial; None: as it sees fit."""

    reduction: int = setting(
        "--reduction",
        group=STOPPING,
        metavar="N",
        help="one of N goes on at each rung (default: 4)",
        kind=int,
        least=2,
        default=Derived(rules.default_reduction),
    )
    """One of so many trials goes on at each rung of the scheduler."""

    epoch_budget: int | None = setting(
        "--epoch-budget",
        group=ENDS,
        metavar="N",
        help="epochs of all trials together",
        kind=int,
        least=1,
        default=None,
        key="limits.epochs",
    )
    """Epochs of all trials together; None: no limit."""

    plateau: int | None = setting(
        "--plateau",
        group=ENDS,
        metavar="N",
        help="epochs of all trials without a new best",
        kind=int,
        least=1,
        default=None,
        key="limits.plateau",
    )
    """Epochs of all trials together without a new best; None: no limit."""

    max_retries: int = setting(
        "--max-retries",
        group=ENDS,
        metavar="N",
        help="retries of a failed trial (default: 1)",
        kind=int,
        least=0,
        default=1,
        key="limits.max_retries",
    )
    """Retries of a trial that fails."""

    max_failed: int | None = setting(
        "--max-failed",
        group=ENDS,
        metavar="N",
        help="failed trials that are too many (default: 50%%)",
        read=rules.read_max_failed,
        default=rules.share_of_trials(0.5),
        key="limits.max_failed",
    )
    """Trials that may fail before the search gives up; None: any number."""

    threads: int = setting(
        "--threads",
        group=MACHINES,
        metavar="N",
        help="threads of each trial (default: cores / concurrency)",
        kind=int,
        least=1,
        default=Derived(rules.default_threads),
    )
    """Threads of each trial."""

    device: str = setting(
        "--device", group=MACHINES, metavar="NAME", help=f"{', '.join(DEVICES)} (default: auto)", default="auto"
    )
    """auto, cpu or cuda."""

    gpus_per_trial: float = setting(
        "--gpus-per-trial",
        group=MACHINES,
        metavar="X",
        help="share of a GPU (default: 1 / concurrency)",
        kind=float,
        least=0,
        default=Derived(rules.default_gpus_per_trial),
    )
    """Share of a GPU; 0 on a CPU."""

    nice: int = setting(
        "--nice",
        group=MACHINES,
        metavar="N",
        help="niceness of the trials, 0 to 19: how far other programs come first (default: 0)",
        kind=int,
        least=0,
        most=19,
        default=0,
    )
    """Niceness of the workers beside that of the command; without effect on a running cluster."""

    address: str | None = setting(
        "--address", group=MACHINES, metavar="HOST:PORT", help="a running Ray cluster (default: its own Ray)"
    )
    """Address of a running Ray cluster; None: a Ray of one's own."""

    storage: str = setting(
        "--storage", group=PLACES, metavar="URL", help="Optuna's database (default: SQLite in --output)"
    )
    """SQLAlchemy URL of the Optuna study."""

    tracking_uri: str = setting(
        "--tracking-uri",
        group=PLACES,
        metavar="URI",
        help="MLflow's (default: SQLite in --output)",
        store_in=rules.store_tracking_uri,
        restore=rules.restore_tracking_uri,
        default=Derived(rules.default_tracking_uri),
    )
    """Address of MLflow."""

    system_metrics: bool = setting(
        "--system-metrics", group=PLACES, help="CPU and memory of driver and workers, to MLflow", default=False
    )
    """Whether MLflow gets CPU and memory of driver and workers."""

    checkpoint_storage: str | None = setting(
        "--checkpoint-storage",
        group=PLACES,
        metavar="URI",
        help="folder or bucket that all machines reach",
        store_in=rules.store_checkpoint_storage,
        restore=rules.restore_checkpoint_storage,
        default=None,
    )
    """Where checkpoints go, for all nodes to reach; None: the study's folder."""

    recipe: Recipe | None = setting(
        "--recipe",
        group=BEGINNING,
        metavar="FILE",
        help="configuration to try second, or none (default: the bundled one, for networks)",
        read=rules.read_recipe,
        store=rules.store_recipe,
        restore=rules.restore_recipe,
        default=None,
    )
    """A configuration that is known to be good on other data, to try after the default one; None: there is none."""

    output: Path
    """Folder of all studies."""

    command: str
    """The command line that a person typed, for the record."""

    default_is_finalist: bool = True
    """Whether the default configuration is always a finalist, to compare the winner with."""

    def __post_init__(self) -> None:
        rules.known_name("sampler", SAMPLERS, self.sampler)
        rules.known_name("scheduler", SCHEDULERS, self.scheduler)
        rules.known_name("ship", SHIPS, self.ship)
        rules.known_name("refit", REFITS, self.refit)
        self._check_bounds()
        self._check_bag()
        self._check_refit()
        self._check_finalist_runs()
        self._check_against()
        check_name(self.name)
        self._check_cores()
        self._check_validation()
        self._check_objectives()
        self._check_space()
        absolute_tracking_uri(self.tracking_uri)  # refuses one that MLflow cannot write to
        self.space.check(self.config)
        SAMPLERS[self.sampler].check(self.space, n_objectives=len(self.objectives))

    def _check_bounds(self) -> None:
        for name, known in settings(type(self)).items():
            value = getattr(self, name)
            if known.least is not None and value is not None and value < known.least:
                raise InputError(f"{name}: {value} should be {known.least} or more")
            if known.most is not None and value is not None and value > known.most:
                raise InputError(f"{name}: {value} should be {known.most} or less")

    def _check_bag(self) -> None:
        """A bag is made of the finalists' runs; of what is learned at once, one says all."""
        if self.ship != "bag" or MODELS[self.config.model.model].learned_at_once:
            return
        if self.finalists == 0:
            raise InputError("ship: a bag is made of the finalists' runs, and finalists is 0: ask for 1 or more")
        if self.finalist_seeds == 1:
            raise InputError(
                "ship: a bag is made of runs with several seeds, and finalist_seeds is 1: ask for 2 or more"
            )

    def _check_refit(self) -> None:
        """How long the last training takes, a finalist's early stopping says."""
        if self.refit in ("valid", "all") and self.finalists == 0:
            raise InputError(
                "refit: a finalist's run is trained again, for as long as was best, and finalists is 0: ask for 1 or "
                "more, or for refit none"
            )

    def _check_finalist_runs(self) -> None:
        """Each finalist is trained once at least."""
        least = self.finalists + self.default_is_finalist
        if self.finalists and self.finalist_runs is not None and self.finalist_runs < least:
            also = " and the default configuration" if self.default_is_finalist else ""
            raise InputError(
                f"finalist_runs: {self.finalist_runs} is too few for {self.finalists} finalists{also}, each of which "
                f"is trained once at least: ask for {least} or more"
            )

    def _check_against(self) -> None:
        """What is tested once is a finalist."""
        if self.against is not None and self.finalists == 0:
            raise InputError("against: a model is compared with the finalists, and finalists is 0: ask for 1 or more")

    def _check_cores(self) -> None:
        """More threads than cores slow each other down; on a GPU they mostly wait, and a cluster counts for itself."""
        if self.address or resolve_device(self.device).type != "cpu":
            return
        available = cores()
        if self.concurrency * self.threads > available.usable:
            raise InputError(
                f"concurrency: {self.concurrency} trials of {self.threads} threads are too many for {available}: "
                f"let concurrency x threads be at most {available.usable}"
            )

    def _check_validation(self) -> None:
        eval_step, epochs = self.config.training.eval_step, self.config.training.epochs
        if not 1 <= eval_step <= epochs:
            raise InputError(f"eval_step: {eval_step} never validates in {epochs} epochs, and a search needs it to")

    def _check_objectives(self) -> None:
        """Schedulers compare trials by one value."""
        if len(self.objectives) > 1 and SCHEDULERS[self.scheduler].one_objective:
            raise InputError(
                f"scheduler: {self.scheduler} ranks trials by one objective, and there are {len(self.objectives)}: "
                "use none"
            )

    def _check_space(self) -> None:
        """A space may vary only options that the model uses, and must vary some unless the model has none."""
        model = self.config.model.model
        for parameter in self.space.parameters:
            with located(self.space.file, parameter.line):
                check_used(model, [parameter.axis.option])
        if not self.space.parameters and (known := searchable_options(model)):
            raise InputError(f"{self.space.file}: no parameter in it: model {model} has {', '.join(known)} to vary")

    @property
    def seed(self) -> int:
        """Seed of every draw of the study."""
        return self.config.training.seed

    @property
    def objective(self) -> str:
        """The metric, spelled `MRR@10`."""
        return self.objectives[0].name

    def refit_on(self, held_out: HeldOut) -> Refit:
        """What the runs that ship are trained on once more, on data that hold this out."""
        if self.refit != "auto":
            return self.refit
        return "valid" if held_out == "sessions" else "none"

    @property
    def limits(self) -> Limits:
        """What ends the search before all trials are done."""
        return Limits(
            epochs=self.epoch_budget,
            plateau=self.plateau,
            max_retries=self.max_retries,
            max_failed=self.max_failed,
        )

    @property
    def trials_possible(self) -> int:
        """Trials that there will be: the space may have fewer configurations than are wanted."""
        if self.space.size is None:
            return self.trials
        default_outside = self.space.from_options(self.config) is None
        return min(self.trials, self.space.size + default_outside)

    @property
    def recipe_trial(self) -> RecipeTrial | None:
        """The trial of the recipe, or why there is none; None: there is no recipe."""
        if self.recipe is None:
            return None
        if self.trials == 1:
            return RecipeTrial(self.recipe.name, None, "the only trial is the default configuration's")
        return fit_recipe(self.recipe, self.space, self.config)

    @property
    def resources(self) -> dict[str, float]:
        """Ray's resources of a trial: the cores of its threads, and its share of a GPU.

        On a Ray of one's own a trial takes a slot, of which there are as many as trials at once.
        """
        return {"cpu": self.threads if self.address else 1, "gpu": self.gpus_per_trial}

    def build_scheduler(self) -> Scheduler:
        """The scheduler, for this study's epochs."""
        from narm.model import SHAPE_OPTIONS
        from narm.optimization import STATE_OPTIONS

        inherited = SHAPE_OPTIONS | STATE_OPTIONS
        settings = Settings(
            epochs=self.config.training.epochs,
            trials=self.trials,
            grace_epochs=self.grace_epochs,
            reduction=self.reduction,
            seed=self.seed,
            mutable={p.name: p.distribution for p in self.space.parameters if p.axis.option not in inherited},
        )
        return SCHEDULERS[self.scheduler].make(settings)

    @property
    def folder(self) -> Path:
        """Folder of this study's files."""
        return self.output / self.name

    def checkpoints(self, of: str) -> str:
        """Folder or address of `checkpoints`, those of trials, or of those of finalists."""
        if self.checkpoint_storage is None:
            return str((self.folder / of).resolve())
        return address_below(self.checkpoint_storage, f"{self.name}/{of}")
