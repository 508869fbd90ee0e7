"""The frozen-operation table: calls whose answer depends on the batch, and what to keep of training for each.

Standard library only at import, sent to the kernel as source: pandas, numpy, scikit-learn and scipy are whatever
versions the notebook uses, found in `sys.modules`, and nothing here may disturb the notebook: `match` never raises,
no random number is drawn, nothing is printed.

A module for each kind of operation enters what it knows: how a call is recognised, when it depends on the batch, what state to
keep. The twin of the same name in `nb2prod/runtime/frozen` answers from that state. `BATCH_DEPENDENT` names the calls that have no
row-wise equivalent; `explain` says why for one call.
"""

from .call import NoEntry
from .matching import match
from .no_row_form import BATCH_DEPENDENT, explain
from .table import TABLE

__all__ = ["BATCH_DEPENDENT", "TABLE", "NoEntry", "explain", "match"]
