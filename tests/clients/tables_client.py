"""DuckDB and pandas on exported files: `python tables_client.py CSV PARQUET`; JSON."""

import json
import sys

import duckdb
import pandas

csv, parquet = sys.argv[1:]
best = duckdb.sql(
    f"select index, avg(valid_top1) as valid, avg(test_top1) as test, count(*) as seeds from '{csv}' "
    "group by index order by valid desc, index limit 1"
).fetchall()[0]
curve = duckdb.sql(
    f"select epoch, top1 from '{parquet}' where index = {best[0]} and split = 'test' and seed = 777 order by epoch"
).fetchall()
rows = len(pandas.read_parquet(parquet, engine="fastparquet"))
print("JSON", json.dumps({"best": best, "curve": curve, "rows": rows}))
