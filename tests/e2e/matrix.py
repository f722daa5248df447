"""One model over N ranks by one strategy: sharded, run, and compared with onnxruntime."""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import shutil

import numpy as np

from model_cases import Model
from program import Program

EXACT = 1e-5
ENGINE_CANNOT = "cannot run the model whole"
TWICE = 2.0  # int8 and fp16: as far from the answers as the unsharded engine, twice at most


@dataclasses.dataclass
class Cell:
    """What came of it. `ranks` 0: refused, `reason` says why."""
    model: str
    wanted_ranks: int
    wanted_strategy: str
    ranks: int = 0
    strategy: str = ""
    error: float = 0.0
    limit: float = 0.0
    share: float = 1.0  # of the weights' bytes, on the rank that holds most
    collectives: dict[str, int] = dataclasses.field(default_factory=dict)
    reason: str = ""

    @property
    def refused(self) -> bool:
        return self.ranks == 0

    @property
    def ok(self) -> bool:
        """Right, or refused with a reason. Auto refuses only what the engine cannot run either."""
        if self.refused:
            return ENGINE_CANNOT in self.reason if self.wanted_strategy == "auto" else bool(self.reason)
        return self.error <= self.limit and (self.ranks == self.wanted_ranks or bool(self.reason))


class Matrix:
    def __init__(self, program: Program, work: pathlib.Path, cases: int | None = None):
        """`cases`: how many of each model's; all without it."""
        self._program = program
        self._work = work
        self._cases = cases
        self._own: dict[str, float] = {}

    def run(self, model: Model, ranks: int, strategy: str) -> Cell:
        cell = Cell(model.name, ranks, strategy)
        repository = self._work / "repository"
        shutil.rmtree(repository, ignore_errors=True)
        done = self._program.run("shard", model.path, "--ranks", ranks, "-o", repository, "--name", "model",
                                 "--strategy", strategy, "--max-batch", 0, "--json")
        if done.returncode == 2:
            assert not repository.exists(), "refused, yet something was written"
            cell.reason = done.stderr.removeprefix("tessera: ").strip()
            return cell
        assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr}"
        self._note(cell, json.loads(done.stdout))
        cell.error = self._error(model, repository / "model")
        cell.limit = EXACT if model.exact else max(EXACT, TWICE * self.own_error(model))
        return cell

    def own_error(self, model: Model) -> float:
        """The unsharded engine's."""
        if model.name not in self._own:
            repository = self._work / "whole"
            shutil.rmtree(repository, ignore_errors=True)
            self._program.shard(model.path, 1, repository, "model", "--max-batch", 0)
            self._own[model.name] = self._error(model, repository / "model")
        return self._own[model.name]

    @staticmethod
    def _note(cell: Cell, report: dict) -> None:
        cell.ranks, cell.strategy, cell.reason = report["ranks"], report["strategy"], report["reason"]
        cell.share = max(report["rank_weight_bytes"]) / max(1, report["weight_bytes"])
        cell.collectives = dict(collections.Counter(c["op"] for c in report["collectives"]))

    def _error(self, model: Model, directory: pathlib.Path) -> float:
        """Over all cases and outputs, relative to the largest value of the output; integers must be equal."""
        worst = 0.0
        for case in model.cases[:self._cases]:
            np.savez(self._work / "inputs.npz", **case.inputs)
            np.savez(self._work / "expected.npz", **case.answer)
            done = self._program.run("verify", directory, "--inputs", self._work / "inputs.npz", "--expected",
                                     self._work / "expected.npz", "--tolerance", EXACT, "--json")
            assert done.returncode in (0, 1), f"{model.name}: ended with {done.returncode}: {done.stderr}"
            worst = max(worst, *(output["max_rel"] for output in json.loads(done.stdout)["outputs"]))
        return worst
