"""What the process that tries is asked, and what it answers."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from nb2prod_runtime.rows import Decoder
from nb2prod_runtime.signature import Signature

from . import days, examples, reference
from .describe import cases, describe_outputs, signature
from .expected import edges
from .fields import find_fields
from .filters import settle_filters
from .nulls import find_nulls
from .precision import measure
from .project import Trial, open_trial, settle_calls
from .replay import replay
from .statements import find_makers, suspect
from .target import changing, find_target
from .truths import outcomes


def serve(requests: TextIO, answers: TextIO) -> None:
    """Do what is requested, a JSON line each naming the file of the answer, until the requests end; each answer is announced by a line.

    `try` tries the project of a job's file; `edges` makes the edge cases of the project that was tried last, `describe` what its Bento
    says of its fields, `outcomes` what was true of the rows that the notebook predicted.
    """
    last: list[Trial] = []
    for line in requests:
        request = json.loads(line)
        try:
            if request["op"] == "edges":
                answer: dict[str, Any] = {"edges": edges(last[-1])}
            elif request["op"] == "describe":
                answer = documents(last[-1], **json.loads(Path(request["job"]).read_text()))
            elif request["op"] == "outcomes":
                answer = {"outcomes": outcomes(last[-1], json.loads(Path(request["job"]).read_text()))}
            else:
                trial = open_trial(json.loads(Path(request["job"]).read_text()))
                last = last if trial.job.get("y") else [trial]
                answer = answered(trial)
        except Exception as problem:
            answer = {
                "failed": f"{type(problem).__name__}: {problem}",
                "traceback": traceback.format_exc()[-3000:],
                "missing": _missing(problem),
            }
        Path(request["answer"]).write_text(json.dumps(answer, default=as_json))
        print("done", file=answers, flush=True)


def _missing(problem: BaseException | None) -> str | None:
    """The module that could not be found, if that is what lies behind a problem."""
    while problem is not None:
        if isinstance(problem, ModuleNotFoundError):
            return problem.name
        problem = problem.__cause__
    return None


def accepted(trial: Trial, signature: dict[str, Any], rows: list[dict[str, Any]]) -> list[bool]:
    """Which of these request rows the project answers, each alone."""
    decoder = Decoder(Signature.from_json(signature))
    verdicts = []
    for row in rows:
        decoded = decoder.check({"rows": [row]})
        run = None if decoded.problems else trial.run(decoded.frame, features=None)
        verdicts.append(run is not None and run.codes[0] is None and run.predictions[0] is not None)
    return verdicts


def documents(trial: Trial, signature: dict[str, Any], name: str, own_class: bool) -> dict[str, Any]:
    """`reference` and `examples`, the documents of those names, and the top-level modules that were `loaded` to answer; `loose` ones of no package.

    `signature` is signature.json, `name` the prediction's; predictions of the notebook's `own_class` have no distribution.
    """
    raw = trial.raw[[c for c in trial.raw.columns if c in trial.answer["fields"]]]
    function = bool(trial.job.get("calls"))
    # The answer for one row alone is that row's, whatever form it has.
    single = function or len(trial.predicted) == 1
    predictions = None if own_class and not function else trial.expected if single else trial.value
    described = reference.describe(raw, predictions, prediction_name=name)
    if not function:
        days.tell(described, trial.raw, trial.predicted, predictions)
    made = examples.make(signature, described, raw, accept=lambda rows: accepted(trial, signature, list(rows)))
    return {"reference": described, "examples": made, "loaded": loaded(), "loose": loose()}


def loaded() -> list[str]:
    """The top-level modules of this process that come from a file, whoever asked for them."""
    found = {name.partition(".")[0] for name, module in list(sys.modules.items()) if getattr(module, "__file__", None)}
    return sorted(name for name in found if name.isidentifier() and not name.startswith("_nb2prod"))


def loose() -> list[str]:
    """Those top-level modules of this process whose file lies in no folder of packages.

    What a package has compiled may call itself a top-level module: scikit-learn's `sklearn._loss._loss` is also there as `_loss`.
    """
    found = {name: getattr(sys.modules.get(name), "__file__", None) for name in loaded()}
    packages = {"site-packages", "dist-packages"}
    return [name for name, file in found.items() if file and not packages.intersection(Path(file).parts)]


def answered(trial: Trial) -> dict[str, Any]:
    """Try the project: all that is asked of it, found out."""
    job = trial.job
    trial.answer["fields"] = []
    if job.get("y"):
        measure(trial)
        trial.answer["changing"] = changing(trial)
        return trial.answer
    if job.get("calls"):
        settle_calls(trial)
    find_target(trial)
    if job.get("filters"):
        settle_filters(trial)
    if trial.answer.get("training_only"):
        return trial.answer
    if job.get("replay_only"):
        measure(trial, shortly=True)
        replay(trial)
    else:
        _settle(trial, Path(job["project"]))
    return trial.answer


def _settle(trial: Trial, project: Path) -> None:
    """With the filters settled: does it replay, and what does the service need to know?"""
    measure(trial)
    replay(trial)
    if trial.answer["mismatches"] or not trial.answer.get("batching"):
        suspect(trial, project)
    if trial.answer["mismatches"] or trial.answer["unsteady"]:
        return
    find_fields(trial)
    told = trial.job.get("fields") or []
    trial.answer["fields"] = [c for c in trial.raw.columns if c in trial.answer["fields"] or c in told]
    find_target(trial)
    find_nulls(trial)
    signature(trial)
    describe_outputs(trial)
    if not any(item["field"] for item in trial.answer["undescribable"]):
        cases(trial)
        find_makers(trial)


def as_json(value: Any) -> Any:
    """What JSON has no form for: a number of numpy as a plain one, anything else as its text."""
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
