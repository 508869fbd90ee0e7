"""The counterfactual run: the notebook is run again with other values in some predicted rows, and says itself what these rows get.

`process.py` is the build's side, `worker.py` the process beside it, `runs.py` what it does, `inspection.py` what a run tells, `rules.py` whether
a row that the notebook leaves out is one that the service must refuse. What happens in the kernel is in `recording/kernel`: `changes.py` chooses
rows and values, `rerun.py` puts them in and holds what the first run took from all rows.
"""
