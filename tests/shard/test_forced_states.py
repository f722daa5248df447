"""Random graphs, run by rows chosen at random in place of the search's: any plan that the rules allow is right."""

import os

import onnx
import pytest

from lockstep import first_wrong, load, outputs_differ
from random_dags import RandomDag
from simulate import whole

GRAPHS, LONG_GRAPHS = 25, 2000
PLANS = 4


@pytest.mark.seconds(3600 if os.environ.get("TESSERA_LONG") else 300)
@pytest.mark.parametrize("parts", [2, 3, 4, 8])
def test_forced_states_compute_the_same(lab, long, tmp_path, parts):
    split = collectives = 0
    for seed in range(LONG_GRAPHS if long else GRAPHS):
        dag = RandomDag(1000 * parts + seed, parts, 12)
        model, inputs = dag.model(), dag.feed()
        file = tmp_path / "model.onnx"
        onnx.save(model, file)
        want = whole(model)(inputs)
        for plan in range(PLANS):
            answer = lab.ask(do="force", model=file, parts=parts, seed=plan, out=tmp_path)
            assert "error" not in answer, f"seed {seed}, plan {plan}: {answer['error']}"
            assert not answer["check"], f"seed {seed}, plan {plan}: the checker rejects it: {answer['check']}"
            models = load(tmp_path, parts)
            line = outputs_differ(answer, models, inputs, want)
            assert line is None, f"seed {seed}, plan {plan}: {line}; first wrong: " + str(
                first_wrong(answer, models, model, inputs))
            split += sum(o["state"]["kind"] != "R" for o in answer["origin"])
            collectives += answer["collectives"]
    assert split > 100 and collectives > 20, "nearly everything was replicated: this proves nothing"
