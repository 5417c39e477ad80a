"""``lodestone show``: a scenario told."""

from __future__ import annotations

from lodestone.border.files import json_text
from lodestone.cli.verb import Words, verb

MORE = """
A SCENARIO is a name of 'lodestone list scenarios' or the path of a YAML file of yours.

  lodestone show licence_shock_april_2025
  lodestone show licence_shock_april_2025 variant=no_talks"""


@verb(
    about="a scenario's question, story, interventions, sources and levers",
    usage="lodestone show SCENARIO [key=value ...] [--json]",
    order=20,
    more=MORE,
)
def work(words: Words) -> int:
    """Tell a scenario: question, story, interventions, sources, levers."""
    from lodestone.chain.load import load_chain
    from lodestone.cli.catalogue import levers, relative, source_rows
    from lodestone.cli.console import paragraph, print_table
    from lodestone.outputs.selectors import remarks_on
    from lodestone.runs.job import job_from_words

    scenario = job_from_words([words.one("scenario")], words.pairs).load()[0]
    if words.on("--json"):
        print(json_text(scenario.to_dict()))
        return 0
    print(f"{scenario.title}  ({scenario.name})")
    print(f"\nQuestion\n{paragraph(scenario.question, '  ')}")
    if scenario.narrative:
        print(f"\nNarrative\n{paragraph(scenario.narrative, '  ')}")
    hypothesis = scenario.hypothesis
    if hypothesis:
        print(f"\nHypothesis\n{paragraph(str(hypothesis.get('text', '')), '  ')}")
        for key, what in (("confirmed_if", "confirmed if"), ("refuted_if", "refuted if")):
            if hypothesis.get(key):
                print(f"  {what}: {hypothesis[key]}")
        if hypothesis.get("claims"):
            print(f"  press claims: {', '.join(hypothesis['claims'])}")
    print(f"\nFrom {scenario.start} to {scenario.end}, vintage {scenario.vintage}, ", end="")
    print(f"measured against {scenario.reference or 'nothing (reference: none)'}")
    if scenario.decision_date:
        print(f"What follows {scenario.decision_date} is supposed, not known.")
    if scenario.source_file:
        print(f"File: {relative(scenario.source_file)}")
    print("\nInterventions" + ("" if scenario.interventions else ": none"))
    for name, item in sorted(scenario.interventions.items(), key=lambda p: (str(p[1].start), p[0])):
        when = f"{item.start or scenario.start} to "
        if item.duration is not None:
            when += f"{item.duration} days later"
        else:
            when += str(item.end or "the end")
        print(f"  {when}  {name}: {item.kind} ({item.role})")
        if item.targets():
            print(paragraph(item.targets(), "      "))
        if item.note:
            print(paragraph(item.note, "      "))
        if item.source:
            print(f"      sources: {', '.join(item.source)}")
    for name, content in scenario.variants.items():
        changed = ", ".join((content or {}).get("interventions") or content or {})
        print(f"  variant={name} changes {changed}")
    if told := remarks_on(scenario, load_chain(scenario.vintage)):
        print("\nHow the model takes it")
        for remark in told:
            print(paragraph(remark, "  "))
    cited = scenario.sources()
    if cited:
        print()
        print_table(
            source_rows(load_chain(scenario.vintage), cited),
            ["key", "title", "date"],
            title="Sources",
        )
    print()
    print("Levers you may override (PLACE.KEY=VALUE)")
    for place, rows in levers(scenario).items():
        print_table(rows, ["key", "now", "unit", "meaning"], title=f"\n{place}.")
    print()
    print("Also any of 'lodestone list parameters', as scenario.overrides.PARAMETER=VALUE.")
    return 0
