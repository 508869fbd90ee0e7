"""Tables of Dask, Ray and Spark through a Bento: each partition by `batch.score`, with the columns that tell which row it is.

The workers of an engine need the packages that the Bento pins, and its folder `src` on their import path (`PYTHONPATH`). Each engine is
imported only by who calls its function, and brings its own table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from . import answers_schema, score


def on_dask(frame: Any, keys: Sequence[str] = ()) -> Any:
    """A Dask frame's answers, partition by partition, as a Dask frame: `keys`, then what `score` gives; with the index of `frame`."""
    import pandas as pd

    meta = pd.concat([frame._meta[list(keys)], answers_schema().empty_table().to_pandas()], axis=1)  # noqa: SLF001 - what Dask's own documents name
    return frame.map_partitions(_of_frame, list(keys), meta=meta)


def on_ray(dataset: Any, keys: Sequence[str] = (), **options: Any) -> Any:
    """A Ray data set's answers as one; `options` are `map_batches`'s own, such as `batch_size` and `concurrency`."""
    return dataset.map_batches(partial(with_keys, keys=list(keys)), batch_format="pyarrow", **options)


def on_spark(frame: Any, keys: Sequence[str] = ()) -> Any:
    """A Spark frame's answers as one.

    A column of date-times without a zone is to be `timestamp_ntz`: Spark's `timestamp` is a moment, and comes with the session's zone.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    answers = from_arrow_schema(answers_schema())
    schema = type(answers)([*frame.select(*keys).schema.fields, *answers.fields])
    return frame.mapInArrow(partial(_of_batches, keys=list(keys)), schema)


def with_keys(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """An Arrow table's answers after these of its own columns."""
    answers = score(table)
    return pa.table(
        {**{key: table.column(key) for key in keys}, **dict(zip(answers.column_names, answers.columns, strict=True))}
    )


def _of_batches(batches: Iterator[pa.RecordBatch], keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield from with_keys(pa.Table.from_batches([batch]), keys).combine_chunks().to_batches()


def _of_frame(frame: Any, keys: Sequence[str]) -> Any:
    import pandas as pd

    return pd.concat([frame[list(keys)], score(frame)], axis=1)
