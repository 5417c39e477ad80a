"""Write what the documentation takes from the program: `python docs/build.py [--check] [RUN]`.

`docs/interventions.md` comes from the registry of interventions. With a run folder of
`licence_shock_april_2025`, `docs/img/shortage.png` is drawn from it as well. `--check` writes
nothing and says whether the text is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PICTURE = "shortage_by_region"

HEAD = """\
# Kinds of intervention

Written by `python docs/build.py` from the registry in `sim/interventions/`; do not edit by hand.
`lodestone list interventions KIND` prints the same.

An intervention is a named entry under `interventions:` in a scenario file. The order never matters.
It changes the rules, never the goods: at every step the rules are put together anew from those in
force, so two that overlap end correctly.

How to read the tables: `required` has no default. *Range* is what the program accepts, not what is
likely. *Source* is a key of the bibliography or of the assumptions (`lodestone sources KEY`);
`definition` marks a switch or a neutral value. Wherever a unit stands, a number may be a
distribution, drawn once per world:

```yaml
processing_days: {dist: triangular, low: 30, mode: 63, high: 100}   # also uniform, normal, lognormal, choice
```

A number that may also be a path over time is a mapping from dates: `{2025-04-04: 0.0, 2025-06-04: 0.25}`,
each value holding from its date on. Materials are names, `all`, `ndfeb_magnets`, or a form
(`concentrates`, `oxides`, `metals`, `magnets`); places are regions, countries, blocs or `all`.
"""


def main(words: list[str]) -> int:
    """Write or check the documents; return the exit status."""
    sys.path.insert(0, str(DOCS.parent))
    target = DOCS / "interventions.md"
    text = interventions()
    if "--check" in words:
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            return 0
        print(f"{target.name} is out of date: run python docs/build.py", file=sys.stderr)
        return 1
    target.write_text(text, encoding="utf-8")
    for folder in words:
        picture(Path(folder))
    return 0


def interventions() -> str:
    """Return `docs/interventions.md` as the registry would have it."""
    from sim.interventions import REGISTRY
    from sim.interventions.base import Intervention

    parts = [HEAD, "## Keys common to all kinds\n", _table(Intervention, Intervention, True)]
    for kind in sorted(REGISTRY):
        model = REGISTRY[kind]
        parts.append(f"## {kind}\n\n{_sentence(model.title)}\n")
        for group in model.one_of:
            ways = " or ".join(" with ".join(f"`{key}`" for key in way) for way in group)
            parts.append(f"Give exactly one of: {ways}.\n")
        parts.append(_table(model, Intervention, False))
    return "\n".join(parts)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _table(model: Any, base: Any, common: bool) -> str:
    from sim.catalogue import shown

    rows = ["| key | default | unit | range | meaning | source |", "|---|---|---|---|---|---|"]
    for key, info in model.model_fields.items():
        if not common and key in base.model_fields:
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        required = info.is_required()
        default = "required" if required else shown(info.get_default(call_default_factory=True))
        unit = extra.get("unit") or (f"names of {extra['names']}" if "names" in extra else "")
        choices = _choices(info.annotation)
        cells = [
            f"`{key}`",
            default,
            unit,
            choices or _range(extra.get("low"), extra.get("high")),
            info.description or "",
            f"`{extra['source']}`" if extra.get("source") else "",
        ]
        rows.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    return "\n".join(rows) + "\n"


def _choices(annotation: Any) -> str:
    """Return the words that a key may take, where it takes words of a list."""
    from typing import Literal, get_args, get_origin

    options = [annotation, *get_args(annotation)]
    for option in options:
        if get_origin(option) is Literal:
            return ", ".join(str(word) for word in get_args(option))
    return ""


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {low:g}"
    if low is None:
        return f"to {high:g}"
    return f"{low:g} to {high:g}"


def picture(folder: Path) -> None:
    """Copy the picture of the README out of a run folder, drawing the figures if need be."""
    drawn = folder / "figures" / f"{PICTURE}.png"
    if not drawn.is_file():
        from sim.report import draw_figures

        draw_figures(folder)
    (DOCS / "img").mkdir(exist_ok=True)
    (DOCS / "img" / "shortage.png").write_bytes(drawn.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
