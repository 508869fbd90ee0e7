"""Widgets for a notebook's cells: a deployment's state, a parity report, a form to ask a deployment,
and whether it is still asked what its training showed.

They show what happens while other cells run; without a kernel behind them (nbconvert, a viewer) a plain table stands in their place.
"""

from nb2prod.widgets.deploy_status import DeployStatus
from nb2prod.widgets.parity_report import ParityReport
from nb2prod.widgets.try_it import TryIt
from nb2prod.widgets.watching import Watching

__all__ = ["DeployStatus", "ParityReport", "TryIt", "Watching"]
