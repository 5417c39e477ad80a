"""Which tests run where and when: tests of a file together, the longest first; what files share.

The fast tests of a file share what they set up (runs, folders, traces), so that with `-n` a file
goes to one process as a whole. Slow tests are long and share little: they go one by one, where they
do not name a group. What takes longest begins first, so that at the end no process works alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

#: Beginnings of names, the longest tests and files first; everything else follows as collected.
#: The second file needs no engine: it is at work while the first compiles its loops.
FIRST = (
    "tests/fuzz/test_fuzz.py::test_ten_thousand",
    "tests/contract/test_studies.py::test_on_a_cluster",
    "tests/contract/test_studies.py::test_killed",
    "tests/laws/test_market_theory.py",
    "tests/laws/test_control_worlds.py",
    "tests/laws/test_policy_kinds.py",
    "tests/unit/test_report_memo.py",
    "tests/unit/test_kernels.py",
    "tests/contract/test_studies.py",
    "tests/laws/test_causes.py",
    "tests/contract/test_run_folder.py",
    "tests/contract/test_figures.py",
    "tests/cli/test_as_people_do.py",
    "tests/contract/test_report_clock.py",
    "tests/contract/test_scenarios.py",
    "tests/laws/",
    "tests/contract/",
    "tests/regression/",
    "tests/episodes/",
    "tests/cli/",
)


def _place(item: pytest.Item) -> int:
    return next((i for i, name in enumerate(FIRST) if item.nodeid.startswith(name)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and tell pytest-xdist which tests stay together."""
    items.sort(key=_place)
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("xdist_group"):
            continue
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw every figure, but paint none: for tests that read words alone."""
    from lodestone.report import figures

    def save(_: object, path: Path) -> Path:
        path.write_bytes(b"")
        return path

    monkeypatch.setattr(figures, "settle", lambda _: None)
    monkeypatch.setattr(figures, "save", save)
