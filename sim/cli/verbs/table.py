"""``lodestone table``: runs and studies in one tidy table."""

from __future__ import annotations

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.cli.verb import Flag, Words, verb

MORE = """
A row for every metric of every run and point, with mean and 5, 50 and 95 % over its worlds. The
ending of the file says the format: .csv, .parquet or .xlsx. --decimal-comma writes CSV with ; and a
decimal comma.

  lodestone table RUN RUN 'metric=unmet_t,delta(unmet_t)' --to both.csv
  lodestone table STUDY 'metric=first_stoppage(region=europe)' --to stops.xlsx
  lodestone table RUN metric=unmet_share_peak --to peak.csv --decimal-comma"""


@verb(
    about="runs and points of studies in one table: CSV, Parquet or XLSX",
    usage="lodestone table RUN|STUDY [RUN|STUDY ...] metric=M[,M...] --to FILE",
    order=47,
    flags=(Flag("--to"), Flag("--decimal-comma", value=False)),
    more=MORE,
)
def work(words: Words) -> int:
    """Write the table and print where."""
    from lodestone.studies.request import request_metrics
    from lodestone.studies.tables import save_tidy, tidy

    metrics = request_metrics(words.pairs, "lodestone table")
    if not words.names:
        raise InputError("names no run or study", key="lodestone table")
    if "--to" not in words.flags:
        raise InputError("names no file", key="--to", hint="Write --to table.csv.")
    path = read_path(words.flags["--to"])
    comma = words.on("--decimal-comma")
    if comma and path.suffix != ".csv":
        raise InputError("belongs to CSV alone", key="--decimal-comma")
    save_tidy(tidy(words.names, metrics), path, decimal_comma=comma)
    print(path.resolve())
    return 0
