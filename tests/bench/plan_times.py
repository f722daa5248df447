"""Plans of several models: predicted by a machine's table, measured by `tessera bench`."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

import numpy

STRATEGIES = ("tensor", "data", "context", "mixed")
RANKS = (2, 3, 4)


@dataclass(frozen=True)
class Case:
    """A model at one input; plans are compared within it."""

    model: str  # of the zoo, or "minilm"
    batch: int = 0  # of a free first dimension; 0: the model's sizes are fixed
    length: int = 0  # of every other free dimension

    def __str__(self):
        return self.model if self.batch == 0 else f"{self.model} {self.batch}x{self.length}"

    def dims(self, names: dict[str, str]) -> list[str]:
        """For `tessera shard`, by the names of the model's free dimensions."""
        sizes = {"batch": self.batch, "length": self.length}
        return [part for name, kind in names.items() for part in ("--dim", f"{name}={sizes[kind]}")]

    def sizes(self) -> list:
        """For `tessera bench`."""
        return ["--batch", self.batch, "--length", self.length] if self.batch else []


@dataclass
class PlanTime:
    case: Case
    name: str  # "tensor/2"
    path: object
    predicted_us: float
    collectives: int
    rounds: list[float] = field(default_factory=list)

    @property
    def measured_us(self) -> float:
        return statistics.median(self.rounds)


def make_plans(program, case: Case, file, names, machine, repository) -> list[PlanTime]:
    """One rank, and every strategy over every number of ranks that it can split over; equal plans once."""
    plans: list[PlanTime] = []
    seen = set()
    for ranks, strategy in [(1, "auto"), *((r, s) for r in RANKS for s in STRATEGIES)]:
        name = f"{strategy}-{ranks}" if ranks > 1 else "single"
        full = f"{case.model}-{case.batch}-{case.length}-{name}"
        done = program.run("shard", file, "--ranks", ranks, "--strategy", strategy, "--machine", machine, "-o", repository,
                           "--name", full, "--max-batch", 0, "--json", *case.dims(names))
        if done.returncode != 0:
            assert "splits nothing" in done.stderr or "nothing can be split" in done.stderr, done.stderr
            continue
        report = program.json("inspect", repository / full)
        key = (ranks, tuple(rank["weight_bytes"] for rank in report["ranks"]),
               tuple((c["op"], tuple(c["shape"])) for c in report["collectives"]),
               tuple(str(t["layout"]) for t in report["inputs"] + report["outputs"]))
        if key in seen:
            continue
        seen.add(key)
        plans.append(PlanTime(case, name, repository / full, report["predicted_us"], len(report["collectives"])))
    return plans


def measure(program, plans: list[PlanTime], rounds: int, seconds: float) -> None:
    """Each plan once a round, so that a drift of the machine disturbs all alike."""
    for _ in range(rounds):
        for plan in plans:
            report = program.json("bench", plan.path, "--seconds", seconds, *plan.case.sizes())
            plan.rounds.append(report["sharded"]["p50_us"])


def spearman(x, y) -> float:
    """Spearman's rank correlation; equal values share the mean of their ranks."""
    return float(numpy.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values) -> numpy.ndarray:
    values = numpy.asarray(values, float)
    return numpy.array([(values < v).sum() + ((values == v).sum() - 1) / 2 for v in values])
