"""``lodestone list``: what there is, a line each."""

from __future__ import annotations

from lodestone.border.words import suggestion
from lodestone.cli.verb import Words, verb

MORE = """
Categories: scenarios, overlays, interventions, parameters, metrics, series, regions, materials,
sectors, facilities, blocs, episodes, vintages. A WORD keeps only the lines that contain it.

  lodestone list scenarios                  each with the question it answers
  lodestone list parameters market          name, unit, default, range and source
  lodestone list interventions              kinds and their keys
  lodestone list interventions tariff       the keys of one kind, with defaults and units
  lodestone list facilities united_states"""


@verb(
    about="what there is: scenarios, parameters, regions ...",
    usage="lodestone list [CATEGORY] [WORD] [--json]",
    order=10,
    more=MORE,
)
def work(words: Words) -> int:
    """Print rows of a category."""
    from lodestone.cli.catalogue import CATEGORIES, catalogue, filtered, intervention_keys
    from lodestone.cli.console import print_table, say

    words.no_pairs()
    if not words.names:
        rows = [{"category": c, "command": f"lodestone list {c}"} for c in CATEGORIES]
        print_table(rows, ["category", "command"], as_json=words.on("--json"))
        return 0
    category, *filters = words.names
    rows = catalogue(category)
    if category.startswith("intervention") and len(filters) == 1:
        kinds = [row["kind"] for row in rows]
        if filters[0] in kinds:
            rows, filters = intervention_keys(filters[0]), []
    everything = rows
    for word in filters:
        rows = filtered(rows, word)
    if not rows:
        if everything:
            first = next(iter(everything[0]))
            hint = suggestion(filters[0], [str(row[first]) for row in everything])
            say(f"no {category} match '{' '.join(filters)}'. {hint}".rstrip())
        else:
            say(f"there are no {category}")
        if words.on("--json"):
            print("[]")
        return 0
    numeric = [c for c in rows[0] if all(isinstance(r[c], int | float | None) for r in rows)]
    print_table(rows, list(rows[0]), as_json=words.on("--json"), right=numeric)
    return 0
