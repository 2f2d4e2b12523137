"""Operations tried on a target: an answer, another answer, a refusal, an end, and no answer at all."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fsdl_deploy.cli import main
from fsdl_deploy.targets import onnx_probes, operators, probes, probing_program
from fsdl_deploy.targets.catalogue import TargetError

SOME = ["where", "running sum", "error function"]
LINES = """
import json, os, sys, time
for name in sys.argv[1:]:
    print(json.dumps({"begins": name}), flush=True)
    if name == "where": BODY
    print(json.dumps({"name": name, "outcome": "runs", "why": ""}), flush=True)
"""


def target(folder, program: str) -> SimpleNamespace:
    (folder / operators.FROM_MODULES).write_text(program)
    return SimpleNamespace(
        name="pretended", folder=folder, root=folder, python=lambda building: sys.executable
    )


def outcomes(folder, program: str, seconds: float = 30) -> dict[str, str]:
    rows = operators.tried(target(folder, program), SOME, folder, seconds)
    return {row["name"]: row["outcome"] for row in rows}


def test_the_rest_goes_on_after_an_operation_that_ends_the_process(tmp_path):
    tried = outcomes(tmp_path, LINES.replace("BODY", "print('cannot', file=sys.stderr); os._exit(9)"))
    assert tried == {"where": "ends the process", "running sum": "runs", "error function": "runs"}


def test_an_operation_that_takes_too_long_is_ended(tmp_path):
    tried = outcomes(tmp_path, LINES.replace("BODY", "time.sleep(600)"), seconds=3)
    assert tried == {"where": "takes too long", "running sum": "runs", "error function": "runs"}


def test_a_program_that_does_not_begin_is_no_result(tmp_path):
    with pytest.raises(TargetError, match="does not begin"):
        outcomes(tmp_path, "raise SystemExit(1)")


def test_the_last_words_of_a_process_are_kept(tmp_path):
    program = LINES.replace("BODY", "print('out of registers', file=sys.stderr); sys.exit(3)")
    first = next(iter(operators.tried(target(tmp_path, program), SOME, tmp_path)))
    assert first["why"] == "status 3: out of registers"


def test_an_answer_is_compared_with_torchs():
    probe = probes.every()["running sum"]
    given = [part.numpy() for part in probe.asked()]

    def judged(run):
        answer = [part.numpy() for part in probe.answer()]
        return probing_program.tried(probe, given, lambda: answer, lambda source: source, run)

    def torch_itself(_, inputs):
        return [probe.module(*map(torch.from_numpy, inputs)).numpy()]

    assert judged(torch_itself) == {"outcome": "runs", "why": ""}
    assert judged(None)["outcome"] == "converts"
    assert judged(lambda *_: [given[0]])["outcome"] == "differs"
    assert judged(lambda *_: [given[0][0]])["why"].startswith("shape")
    assert judged(lambda *_: [np.full_like(given[0], np.nan)])["outcome"] == "differs"
    assert judged(lambda *_: given * 2)["why"] == "2 answers instead of 1"
    assert judged(lambda *_: 1 / 0) == {
        "outcome": "does not run",
        "why": "ZeroDivisionError: division by zero",
    }


def test_every_probe_has_an_answer_that_is_always_the_same():
    for first, again in zip(probes.every().values(), probes.every().values(), strict=True):
        for ours, theirs in zip(first.answer(), again.answer(), strict=True):
            assert torch.equal(ours, theirs) and ours.numel(), first.name


def test_onnx_files_hold_what_is_asked_and_answered(tmp_path, monkeypatch):
    few = {name: probes.every()[name] for name in ("any width", "search in a sorted list")}
    monkeypatch.setattr(probes, "every", lambda: few)
    onnx_probes.write(tmp_path)
    known = json.loads((tmp_path / onnx_probes.LIST).read_text())
    assert known["search in a sorted list"]["why"] and "stem" not in known["search in a sorted list"]
    import onnxruntime

    stem = tmp_path / known["any width"]["stem"]
    session = onnxruntime.InferenceSession(stem.with_suffix(".onnx"), providers=["CPUExecutionProvider"])
    with np.load(stem.with_suffix(".npz")) as arrays:
        (answer,) = session.run(None, {session.get_inputs()[0].name: arrays["asked0"]})
        assert np.allclose(answer, arrays["answer0"], atol=1e-5) and arrays["asked0"].shape[3] == 24


def test_the_record_knows_every_operation_of_every_program():
    recorded = operators.read()
    assert set(recorded) == set(operators.names())
    for part in recorded.values():
        assert [row["name"] for row in part["rows"]] == list(probes.every())
        assert {row["outcome"] for row in part["rows"]} <= set(operators.OUTCOMES)


def test_the_command_names_what_it_does_not_know(capsys):
    assert main(["edge", "operators", "--only", "divination"]) == 1
    assert "no such operation: divination" in capsys.readouterr().err
    assert main(["edge", "operators", "tinyml"]) == 1
    assert "these have" in capsys.readouterr().err
