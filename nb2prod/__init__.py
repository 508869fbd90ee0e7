"""From a tagged notebook to a served model that is proved to compute what the notebook computes."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WIDGETS = ("DeployStatus", "ParityReport", "TryIt", "Watching")
_API = (
    "Answer", "BuildResult", "Cancelled", "Detail", "Diagnostic", "EnvironmentProblem", "Features", "Forecast",
    "FrozenCall", "InputError", "LocalServer", "Nb2ProdError", "Options", "ParityFailed", "Plan", "PlannedFilter",
    "PlannedLine", "PlannedValue", "Progress", "Refused", "ReleaseRecord", "Report", "RequestRefused", "RowError",
    "ServiceClient", "Wish", "build", "check", "connect", "load_options", "prove", "releases", "serve",
)  # fmt: skip

if TYPE_CHECKING:
    from nb2prod.api import (
        Answer as Answer,
    )
    from nb2prod.api import (
        BuildResult as BuildResult,
    )
    from nb2prod.api import (
        Cancelled as Cancelled,
    )
    from nb2prod.api import (
        Detail as Detail,
    )
    from nb2prod.api import (
        Diagnostic as Diagnostic,
    )
    from nb2prod.api import (
        EnvironmentProblem as EnvironmentProblem,
    )
    from nb2prod.api import (
        Features as Features,
    )
    from nb2prod.api import (
        Forecast as Forecast,
    )
    from nb2prod.api import (
        FrozenCall as FrozenCall,
    )
    from nb2prod.api import (
        InputError as InputError,
    )
    from nb2prod.api import (
        LocalServer as LocalServer,
    )
    from nb2prod.api import (
        Nb2ProdError as Nb2ProdError,
    )
    from nb2prod.api import (
        Options as Options,
    )
    from nb2prod.api import (
        ParityFailed as ParityFailed,
    )
    from nb2prod.api import (
        Plan as Plan,
    )
    from nb2prod.api import (
        PlannedFilter as PlannedFilter,
    )
    from nb2prod.api import (
        PlannedLine as PlannedLine,
    )
    from nb2prod.api import (
        PlannedValue as PlannedValue,
    )
    from nb2prod.api import (
        Progress as Progress,
    )
    from nb2prod.api import (
        Refused as Refused,
    )
    from nb2prod.api import (
        ReleaseRecord as ReleaseRecord,
    )
    from nb2prod.api import (
        Report as Report,
    )
    from nb2prod.api import (
        RequestRefused as RequestRefused,
    )
    from nb2prod.api import (
        RowError as RowError,
    )
    from nb2prod.api import (
        ServiceClient as ServiceClient,
    )
    from nb2prod.api import (
        Wish as Wish,
    )
    from nb2prod.api import (
        build as build,
    )
    from nb2prod.api import (
        check as check,
    )
    from nb2prod.api import (
        connect as connect,
    )
    from nb2prod.api import (
        load_options as load_options,
    )
    from nb2prod.api import (
        prove as prove,
    )
    from nb2prod.api import (
        releases as releases,
    )
    from nb2prod.api import (
        serve as serve,
    )


def __getattr__(name: str) -> Any:
    """`nb2prod.build(...)`, `nb2prod.DeployStatus("name")` and their like, imported when they are asked for."""
    if name in _API:
        from nb2prod import api

        return getattr(api, name)
    if name in _WIDGETS:
        from nb2prod import widgets

        return getattr(widgets, name)
    raise AttributeError(f"module 'nb2prod' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_API, *_WIDGETS]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the built sidebar: a folder of this package, and the name it is installed under."""
    return [{"src": "labextension", "dest": "nb2prod"}]
