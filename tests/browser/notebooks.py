"""The notebook that the browser tests open."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CELLS = [
    (None, "# Flight delays\nWhich flights leave late?"),
    ([], "import pandas as pd\nfrom sklearn.ensemble import HistGradientBoostingClassifier"),
    (["parameters"], "sample = 20_000\nseed = 7"),
    (["data"], 'flights = pd.read_parquet("flights.parquet").sample(sample, random_state=seed)'),
    (["feature"], '# Hours, not HHMM\nflights["hour"] = flights["sched_dep_time"] // 100'),
    ([], 'flights.groupby("hour")["dep_delay"].mean().plot()'),
    (["feature", "slow"], 'wind = flights["wind_speed"].fillna(flights["wind_speed"].median())'),
    ([], 'X = pd.get_dummies(flights[["hour", "carrier"]]).assign(wind=wind)'),
    (["train"], "model = HistGradientBoostingClassifier(random_state=seed).fit(X_train, y_train)"),
    (["predict"], "late = model.predict(X_test)"),
    ([], "pd.crosstab(late, y_test)"),
]


def write_notebook(path: Path) -> Path:
    """Write it, with the cell ids `cell-1`, `cell-2`, ... of the panel's numbers."""
    notebook = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for number, (tags, source) in enumerate(CELLS, start=1):
        cell = new_markdown_cell(source) if tags is None else new_code_cell(source)
        cell["id"] = f"cell-{number}"
        if tags:
            cell["metadata"]["tags"] = tags
        notebook.cells.append(cell)
    nbformat.write(notebook, path)
    return path
