"""What a Bento is made of, and how that is packaged: generated code, its options, what it says of itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.config import Options, bento_name
from nb2prod.errors import InputError
from nb2prod.notebook import Notebook

if TYPE_CHECKING:
    from nb2prod.bento.build_environment import BuildEnvironment
    from nb2prod.bento.pins import Pins
    from nb2prod.parity.counterfactual import Awaited
    from nb2prod.path.plan import ServingPath
    from nb2prod.path.tries import Description, Tries
    from nb2prod.runtime.options import Options as Serving


@dataclass(frozen=True)
class SelfDescription:
    """What a Bento says of itself: signature.json, and what describes its fields."""

    signature: dict[str, Any]
    fields: Description


@dataclass(frozen=True)
class Ingredients:
    """What a Bento is made of, and the process that tried it, which still makes the edge cases."""

    notebook: Notebook
    options: Options
    serving: ServingPath
    told: SelfDescription
    environment: BuildEnvironment
    tries: Tries
    again: Awaited


def service_options(notebook: Notebook, options: Options) -> Serving:
    """The service's options; raises `InputError` where they ask for a cell that the notebook lacks."""
    from nb2prod.runtime.options import Options as Serving

    serving = Serving.from_json(options.serving)
    check_fit(serving, [*serving.request_log_exclude], fallback=has_fallback(notebook))
    return serving


def check_fit(serving: Serving, fields: Collection[str], *, fallback: bool) -> None:
    from nb2prod.runtime.options import OptionProblem

    try:
        serving.check_fit(fields, fallback=fallback)
    except OptionProblem as problem:
        raise InputError(str(problem), "Mend the table 'serving' of nb2prod.toml, or the notebook.") from None


def has_fallback(notebook: Notebook) -> bool:
    return any("fallback" in cell.tags for cell in notebook.code_cells)


def described(notebook: Notebook, options: Options, serving: ServingPath, tries: Tries) -> SelfDescription:
    """Have the fields described, and example requests made that the service answers."""
    signature = {**serving.signature, "model": {"name": bento_name(notebook.path, options)}}
    snapshot = serving.recording.snapshots.get(serving.prediction.snapshot, {})
    own_class = str(snapshot.get("type", "")).startswith("__main__")
    described = tries.describe(signature, serving.signature["prediction"]["name"], own_class=own_class)
    return SelfDescription(signature, described)


def begin_cases(tries: Tries, serving: ServingPath) -> None:
    """Have edge cases made, and what was true of the predicted rows found: that takes time, and the Bento can be packaged meanwhile."""
    tries.begin_edges()
    if serving.outcomes.reason is None:
        tries.begin_outcomes(serving.outcomes.to_json())


def package(packed: Ingredients, project: Path, stage: Path) -> tuple[Path, Pins]:
    from nb2prod.bento import imports, staging
    from nb2prod.bento import project as files
    from nb2prod.path import path_modules

    notebook, options, serving, told = packed.notebook, packed.options, packed.serving, packed.told
    name = bento_name(notebook.path, options)
    served = service_options(notebook, options)
    check_fit(served, serving.fields, fallback=has_fallback(notebook))
    local = imports.local_modules(
        _imported(serving) | imports.of_artifacts(project / "artifacts"),
        (notebook.path.parent, path_modules.linked(serving.recording.folder)),
        packed.environment.kernel,
    )
    files.write(
        project,
        files.ProjectFiles(
            serving.composition.features,
            serving.composition.predict,
            told.signature,
            told.fields.reference,
            told.fields.examples,
            served.to_json(),
            local,
            serving.fallback.source if serving.fallback else None,
        ),
    )
    about = {"nb2prod.notebook": notebook.name, "nb2prod.owner": options.owner, "nb2prod.runbook": options.runbook}
    labels = {key: value for key, value in about.items() if value}
    request = staging.Request(name, labels, told.fields.loaded, told.fields.loose, packed.environment.wheels)
    staged = staging.stage(project, request, environment=packed.environment.installed(), store=stage / "bentos")
    return staged.folder, staged.pins


def _imported(serving: ServingPath) -> frozenset[str]:
    """The modules that the generated code imports."""
    rules = serving.fallback.composition.imports if serving.fallback else frozenset()
    return serving.composition.imports | rules
