"""YAML is read without its traps."""

from __future__ import annotations

import pytest

from lodestone.border.errors import InputError
from lodestone.border.yamlfile import dump_yaml, parse_yaml, read_yaml


def test_dates_words_and_keys_stay_what_they_look_like():
    data = parse_yaml(
        "start: 2024-01-01\ncountry: no\nswitch: on\nflag: true\nat: {2025-04-04: 0.5, 2010: 3}\n"
        "small: 1e-3\nclock: 12:30\nempty: ~\nzip: 0123\n"
    ).data
    assert data == {
        "start": "2024-01-01",
        "country": "no",
        "switch": "on",
        "flag": True,
        "at": {"2025-04-04": 0.5, "2010": 3},
        "small": 0.001,
        "clock": "12:30",
        "empty": None,
        "zip": "0123",
    }


def test_lines_of_keys_are_kept():
    document = parse_yaml("a: 1\nb:\n  c: 2\n  d:\n    e: 3\n")
    assert document.places[("b", "d", "e")].line == 5


def test_a_repeated_key_is_refused_with_both_lines():
    with pytest.raises(InputError, match=r"line 4.*twice.*line 2") as error:
        parse_yaml("a:\n  x: 1\n  y: 2\n  x: 3\n")
    assert error.value.key == "a.x"


@pytest.mark.parametrize(
    "text", ["a: [1, 2", "a: b: c", "\ta: 1", "- 1\n- 2\n", "just words", "a: 'open", "{1: 2"]
)
def test_what_is_not_a_mapping_in_yaml_is_one_clear_error(text, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_yaml(file)
    assert str(file) in str(error.value)
    assert error.value.hint


def test_bytes_that_are_not_text(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_bytes(b"\xff\xfe\x00name: x")
    with pytest.raises(InputError, match="UTF-8"):
        read_yaml(file)


def test_what_is_written_is_read_back_unchanged():
    data = {
        "start": "2024-01-01",
        "text": "first\n\nsecond: with colon\n",
        "yes": True,
        "word": "no",
        "number_as_text": "2024",
        "none": None,
        "path": {"2025-04-04": 0.1, "2025-05-15": {"dist": "uniform", "low": 0.0, "high": 1.0}},
        "names": ["a", "b"],
        "float": 1e-9,
    }
    assert parse_yaml(dump_yaml(data)).data == data
