"""Dask, Ray and Spark give what the table gives without them, bit for bit, whatever they do to its types."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pytest

from nb2prod.runtime.batch.scoring import Scorer

from . import projects

pytestmark = pytest.mark.engines

SCRIPTS = {
    "dask": """
import dask.dataframe as dd
from nb2prod_runtime.batch import on_dask
frame = dd.read_parquet(table).repartition(npartitions=3)
made = on_dask(frame, ["Id"]).compute(scheduler="processes")
""",
    "ray": """
import ray
ray.init(num_cpus=2, include_dashboard=False, logging_level="error")
from nb2prod_runtime.batch import on_ray
made = on_ray(ray.data.read_parquet(table), ["Id"], batch_size=7).to_pandas()
""",
    "pyspark": """
from pyspark.sql import SparkSession
from nb2prod_runtime.batch import on_spark
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "7")
made = on_spark(spark.read.parquet(table).repartition(3), ["Id"]).toPandas()
""",
}
FRAME = pd.DataFrame(
    {
        "Id": range(100),
        "Age": [None if at % 7 == 0 else 20.0 + at for at in range(100)],
        "Sex": ["male" if at % 3 else "female" for at in range(100)],
        "Fare": [at * 1.5 - 10 for at in range(100)],
        "Big": [2**53 + at for at in range(100)],
        "When": pd.date_range("2013-01-01", periods=100, freq="h").astype("datetime64[us]"),
        "other": pd.array([1, None] * 50, dtype="Int64"),
    }
)


def _leave_out(reason):
    if "engines" in os.environ.get("NB2PROD_TEST_REQUIRES", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize("engine", SCRIPTS)
def test_an_engine_gives_the_answers_of_the_table(engine, tmp_path):
    if importlib.util.find_spec(engine) is None:
        _leave_out(f"{engine} is not installed here")
    if engine == "pyspark" and shutil.which("java") is None:
        _leave_out("Spark needs Java (apt-get install openjdk-17-jre-headless)")
    project = projects.write(tmp_path / "src")
    FRAME.to_parquet(tmp_path / "table.parquet", index=False)
    script = f"import sys\ntable, out = sys.argv[1:]\n{SCRIPTS[engine]}\nmade.to_pickle(out)\n"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "table.parquet"), str(tmp_path / "made")],
        env={**os.environ, "PYTHONPATH": str(project), "PYSPARK_PYTHON": sys.executable},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    made = pd.read_pickle(tmp_path / "made").sort_values("Id", ignore_index=True)
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    expected = Scorer.load(project).score(table).answers
    assert list(made["Id"]) == list(range(100))
    assert [None if pd.isna(value) else int(value) for value in made["prediction"]] == expected[
        "prediction"
    ].to_pylist()
    assert [None if pd.isna(text) else text for text in made["error"]] == expected["error"].to_pylist()
    assert made["error"].notna().sum() == 7
