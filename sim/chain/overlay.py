"""Rows of one's own laid over the shipped seeds: ``seeds=FOLDER``.

The folder is laid out as ``seeds/``: tables common to all vintages at its top, those of a vintage
in a folder of its name. A row whose key (`KEYS`) is shipped changes the cells that are filled in; a
row of another key is added and needs every required column. The whole is read and checked as the
shipped seeds are, and its hash stands in every run's provenance.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.paths import OVERLAY, data_root, seeds_root, vintages
from lodestone.border.words import suggestion, unknown
from lodestone.chain.load import BY_VINTAGE, COMMON, KEYS, load_chain
from lodestone.chain.merged import LINES, ROOT
from lodestone.chain.row import element_columns

__all__ = ["EXAMPLE", "seeds_in_use", "write_example"]


@contextlib.contextmanager
def seeds_in_use(folder: Path | str | None) -> Iterator[None]:
    """Lay a folder's rows over the shipped seeds for as long as this lasts, here and in workers.

    Parameters
    ----------
    folder
        None leaves the seeds as they are.

    Raises
    ------
    InputError
        It is no folder, holds a file that is no table of the seeds, or a row without its key.
    """
    if folder is None:
        yield
        return
    own = Path(folder).expanduser().resolve()
    before = {name: os.environ.get(name) for name in (ROOT, OVERLAY)}
    merged = laid_over(own)
    os.environ |= {ROOT: str(merged), OVERLAY: str(own)}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def laid_over(folder: Path) -> Path:
    """Return a seeds folder that is the shipped one with a folder's rows laid over it.

    It stands among the temporary files under a name made of the folder (errors name its files) and
    its content, and is made once.
    """
    below = seeds_root() if OVERLAY not in os.environ else data_root("seeds")
    tables = _tables(folder, below)
    digest = hashlib.sha256(f"{below.resolve()}\n{folder.resolve()}\n".encode())
    for path in tables:
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    for path in sorted(below.rglob("*.csv")):
        stat = path.stat()
        digest.update(f"{path.name}{stat.st_mtime_ns}{stat.st_size}".encode())
    user = getattr(os, "getuid", lambda: "user")()
    target = Path(tempfile.gettempdir()) / f"lodestone-seeds-{user}-{digest.hexdigest()[:16]}"
    if (target / LINES).is_file():
        return target
    hidden = Path(tempfile.mkdtemp(prefix="lodestone-seeds-"))
    try:
        _link(below, hidden, {p.relative_to(folder).parts[0] for p in tables})
        lines: dict[str, dict[int, str]] = {}
        for path in tables:
            place = path.relative_to(folder)
            lines[place.as_posix()] = _merge(below / place, path, hidden / place)
        (hidden / LINES).write_text(json.dumps(lines), encoding="utf-8")
        with contextlib.suppress(OSError):  # another process was faster
            hidden.rename(target)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return target


def _tables(folder: Path, below: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(
            "is not a folder", file=folder, key="seeds",
            hint="'lodestone init --seeds FOLDER' writes an example.",
        )  # fmt: skip
    known = vintages(below)
    found = []
    for path in sorted(folder.rglob("*.csv")):
        place = path.relative_to(folder)
        names = COMMON if len(place.parts) == 1 else {**COMMON, **BY_VINTAGE}
        if len(place.parts) > 2 or (len(place.parts) == 2 and place.parts[0] not in known):
            raise unknown("vintage", place.parts[0], known, file=path)
        if place.stem not in names:
            if len(place.parts) == 1 and place.stem in BY_VINTAGE:
                raise InputError(
                    "is a table of a vintage", file=path,
                    hint=f"Put it into the vintage's folder: {known[-1]}/{path.name}.",
                )  # fmt: skip
            raise unknown("table", place.stem, names, file=path)
        found.append(path)
    if not found:
        raise InputError("holds no table (*.csv)", file=folder, key="seeds")
    return found


def _link(below: Path, above: Path, changed: set[str]) -> None:
    """Fill a folder with links to what does not change; the folders of vintages that do are made."""
    for entry in below.iterdir():
        target = above / entry.name
        if entry.is_dir() and entry.name in changed:
            target.mkdir()
            _link(entry, target, set())
            continue
        try:
            target.symlink_to(entry.resolve(), target_is_directory=entry.is_dir())
        except OSError:  # no links here
            if entry.is_dir():
                shutil.copytree(entry, target)
            else:
                shutil.copy2(entry, target)


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            header = next(reader, [])
            return header, [(reader.line_num, row) for row in reader if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read as UTF-8 CSV ({error})", file=path) from None


def _merge(below: Path, own: Path, target: Path) -> dict[int, str]:
    """Write the merged table; return for each of its lines the line of the folder's own table."""
    header, rows = _read(own)
    if below.is_file():
        shipped, old = _read(below)
    else:
        shipped, old = header, []
    by_element = element_columns({**COMMON, **BY_VINTAGE}[own.stem])
    for word in header:
        if word in shipped:
            continue
        if by_element is None or not word.endswith(by_element[1]):
            raise unknown("column", word, shipped, file=own, key=word)
        # A column of an element of one's own: plants that are shipped hold none of it.
        shipped = [*shipped, word]
        old = [(line, [*cells, ""]) for line, cells in old]
    keys = _key_columns(own.stem)
    for word in keys:
        if word not in header:
            raise InputError(f"lacks the column '{word}', which names a row", file=own)
    at = [shipped.index(w) for w in keys]
    table = [list(cells) for _, cells in old]
    place = {tuple(cells[i] for i in at): n for n, cells in enumerate(table)} if keys else {}
    origin: dict[int, str] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{len(cells)} cells, but the header has {len(header)}", file=f"{own}:{line}"
            )
        given = dict(zip(header, cells, strict=True))
        name = tuple(given[w] for w in keys)
        if keys and not all(name):
            raise InputError("a row lacks its name", file=f"{own}:{line}", key=", ".join(keys))
        if name in place:
            number = place[name]
            table[number] = [
                given.get(w) or cell for w, cell in zip(shipped, table[number], strict=True)
            ]
        else:
            if lacks := [w for w in _required(own.stem) if not given.get(w)]:
                raise _no_row(f"{own}:{line}", keys, given, old, at, lacks)
            number = len(table)
            place[name] = number
            table.append([given.get(w, "") for w in shipped])
        origin[number] = f"{own}:{line}"
    target.unlink(missing_ok=True)
    told: dict[int, str] = {}
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(shipped)
        line = 1
        for number, cells in enumerate(table):
            writer.writerow(cells)
            line += 1 + sum(c.count("\n") for c in cells)
            if number in origin:
                told[line] = origin[number]
    return told


def _no_row(
    where: str,
    keys: list[str],
    given: dict[str, str],
    old: list[tuple[int, list[str]]],
    at: list[int],
    lacks: list[str],
) -> InputError:
    """The error of a row that names none that is shipped and holds too little to be a new one."""
    near = [
        f"{word}: {suggestion(given[word], known)}"
        for word, i in zip(keys, at, strict=True)
        if given[word] not in (known := {cells[i] for _, cells in old})
    ]
    name = ", ".join(given[word] for word in keys)
    return InputError(
        f"'{name}' is no row that is shipped, and a new one lacks {', '.join(lacks)}",
        file=where,
        key=", ".join(keys),
        hint=" ".join(near) or None,
    )


def _required(table: str) -> list[str]:
    """Columns that a new row of a table must fill in, as its header calls them."""
    return [
        item.metadata.get("column") or item.name
        for item in fields({**COMMON, **BY_VINTAGE}[table])
        if item.default is MISSING and "None" not in str(item.type)
    ]


def _key_columns(table: str) -> list[str]:
    """Columns that name a row of a table, as its header calls them."""
    kind = {**COMMON, **BY_VINTAGE}[table]
    header = {item.name: item.metadata.get("column") or item.name for item in fields(kind)}
    return [header[name] for name in KEYS.get(table, ())]


#: Tables of the example: a price, a plant, a demand, a route, and where the numbers are from.
EXAMPLE: dict[str, str] = {
    "bibliography.csv": (
        "key,title,publisher,url,date,kind,grade,licence,note\n"
        "my_estimate,Estimate of our own,our institute,,2026-01-01,outside,,,replace by your source\n"
    ),
    "2024/prices.csv": (
        "material,market,usd_per_kg,low,high,source,note\n"
        "dy_oxide,ask,330,280,400,my_estimate,a row that is shipped: the cells given here replace its own\n"
    ),
    "2024/routes.csv": (
        "origin,destination,transit_days,source,note\nchina,europe,55,my_estimate,round the Cape\n"
    ),
    "2024/demand.csv": (
        "sector,region,material,t_per_year,low,high,source,note\n"
        "wind,europe,ndfeb_high_coercivity,{wind},{wind_low},{wind_high},my_estimate,a tenth more than shipped\n"
    ),
    "2024/facilities.csv": (
        "facility,name,operator,country,region,stage,material,capacity_t_per_year,capacity_basis,"
        "status,start_date,ramp_months,unit_cost_usd_per_kg,unit_cost_low,unit_cost_high,owner_bloc,role,source,date,confidence,note\n"
        "my_magnet_plant,Plant of our own,Example Magnets,germany,europe,magnet,"
        "ndfeb_high_coercivity,1000,t_magnet,construction,2027-01-01,18,45,35,60,europe,planned_new,"
        "my_estimate,2026,low,a plant that is added needs every required column\n"
    ),
    "README.md": (
        "Rows of your own, laid over the shipped seeds with seeds=FOLDER:\n\n"
        "    lodestone check seeds=FOLDER\n"
        "    lodestone run licence_shock_april_2025 seeds=FOLDER\n\n"
        "Tables are laid out as in seeds/ of Lodestone: common tables here, those of a vintage in\n"
        "its folder. A row whose name is shipped changes the cells that are filled in; another row\n"
        "is added. Every number needs a source: a key of bibliography.csv or assumptions.csv.\n"
    ),
}


def write_example(folder: Path) -> list[Path]:
    """Write an example of rows of one's own.

    Raises
    ------
    InputError
        The folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "is not an empty folder",
            file=folder,
            hint="Give a new folder, so that nothing is lost.",
        )
    chain = load_chain("2024")
    wind = next(
        d
        for d in chain.demand
        if (d.sector, d.region, d.material) == ("wind", "europe", "ndfeb_high_coercivity")
    )
    numbers = {
        "wind": f"{1.1 * wind.t_per_year:g}",
        "wind_low": f"{1.1 * (wind.low or wind.t_per_year):g}",
        "wind_high": f"{1.1 * (wind.high or wind.t_per_year):g}",
    }
    made = []
    for name, text in EXAMPLE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**numbers) if "demand" in name else text, encoding="utf-8")
        made.append(path)
    return made
