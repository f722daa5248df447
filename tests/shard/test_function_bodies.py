"""The bodies of ONNX's functions, as its node cases write them out: real graphs of up to a hundred nodes, by chance."""

import onnx
import pytest

from lockstep import first_wrong, load, outputs_differ
from node_cases import function_bodies
from simulate import whole

EVERY = 6  # case, unless all are asked for
NEEDS_SHAPES = "Subgraph must have the shape set"  # what onnxruntime says of a Scan whose inputs have no shapes


@pytest.mark.seconds(900)
def test_function_bodies_compute_the_same(lab, long, tmp_path, capsys):
    file = tmp_path / "model.onnx"
    ran, passed_over, wrong = 0, 0, []
    for case in function_bodies()[:: 1 if long else EVERY]:
        try:
            want = whole(case.model)(case.inputs)
        except Exception:  # noqa: BLE001: onnxruntime lacks one of the ops
            passed_over += 1
            continue
        onnx.save(case.model, file)
        for parts, seed in ((2, 0), (2, 1), (3, 0)):
            answer = lab.ask(do="force", model=file, parts=parts, seed=seed, out=tmp_path)
            line = answer.get("error") or answer["check"]
            if not line:
                models = load(tmp_path, parts)
                try:
                    line = outputs_differ(answer, models, case.inputs, want)
                except Exception as error:  # noqa: BLE001
                    if NEEDS_SHAPES in str(error):
                        passed_over += 1
                        continue
                    line = str(error).splitlines()[0]
                if line:
                    line += f"; first wrong: {first_wrong(answer, models, case.model, case.inputs)}"
            ran += 1
            if line:
                wrong.append(f"{case.name}, {parts} ranks, seed {seed}: {line}")
    with capsys.disabled():
        print(f"\n{ran} sharded function bodies ran, {len(wrong)} wrong, {passed_over} passed over")
    assert not wrong, "\n".join(wrong)
    assert ran > 100
