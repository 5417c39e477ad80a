"""Parts on disk: packed to the byte, checked, and rounded only as far as they say."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.outputs.parts import (
    NOTES,
    Packed,
    Parts,
    Rounding,
    bands,
    finished,
    is_whole,
    pack,
    rounded,
    sound,
    steps_of,
    write_part,
)

RNG = np.linspace(-3.0, 3.0, 7 * 5 * 3)


def series() -> np.ndarray:
    values = np.exp(RNG).reshape(7, 5, 3).astype(np.float32)
    values[2, 1] = np.nan
    values[3, 2] = np.inf
    return values


@pytest.mark.parametrize(
    "values",
    [
        series(),
        np.arange(210, dtype=np.uint8).reshape(7, 10, 3),
        RNG.reshape(35, 3),
        np.arange(11),
        np.zeros((0, 3)),
        np.zeros((4, 0, 3), dtype=np.float32),
    ],
)
def test_what_is_packed_comes_back_byte_for_byte(values, tmp_path):
    (tmp_path / "x").write_bytes(pack(values))
    back = Packed(tmp_path / "x").read()
    assert back.dtype == values.dtype and back.shape == values.shape
    assert back.tobytes() == values.tobytes()


def test_rows_are_read_alone(tmp_path):
    values = series()
    (tmp_path / "x").write_bytes(pack(values))
    file = Packed(tmp_path / "x")
    rows = np.array([4, 1])
    assert np.array_equal(file.read(rows), values[:, rows], equal_nan=True)
    assert np.array_equal(file.read(slice(1, 3)), values[:, 1:3], equal_nan=True)


def test_rounding_is_within_what_it_says():
    values = series()
    near = rounded(values)
    known = np.isfinite(values)
    assert np.all(np.abs(near[known] / values[known] - 1.0) <= 2.0**-9)
    assert np.array_equal(np.isnan(near), np.isnan(values))
    assert np.array_equal(np.isinf(near), np.isinf(values))
    assert not np.array_equal(near[known], values[known])
    assert len(pack(near)) < len(pack(values))


def test_bands_of_rounded_series_are_as_near_as_their_numbers():
    worlds = np.exp(np.sin(np.arange(997.0)))[None].astype(np.float32)
    mean, quantiles = bands(worlds)
    near, those = bands(rounded(worlds))
    assert np.allclose(those, quantiles, rtol=2.0**-9) and np.allclose(near, mean, rtol=2.0**-9)


def test_a_damaged_part_is_seen_whatever_was_damaged(tmp_path):
    for name in ("0-1", "2-3", "4-5", "6-7"):
        write_part(tmp_path, name, {"a": series(), "b": np.arange(3)}, {"metrics": ["m"]})
    assert all(is_whole(tmp_path / n) for n in finished(tmp_path))
    data = bytearray((tmp_path / "0-1" / "a").read_bytes())
    data[-3] ^= 4
    (tmp_path / "0-1" / "a").write_bytes(bytes(data))
    (tmp_path / "2-3" / "b").unlink()
    text = (tmp_path / "4-5" / NOTES).read_text()
    (tmp_path / "4-5" / NOTES).write_text(text.replace("m", "n", 1))
    assert sound(tmp_path) == ["6-7"] == finished(tmp_path)
    assert Parts(tmp_path).labels == [{"metrics": ["m"]}]


def test_series_come_back_rounded_as_far_as_they_may_be(tmp_path):
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(0.0, 2.0, (30, 4, 6))).astype(np.float32)
    values[:, 1] = 0.0
    values[3, 2, 1] = np.inf
    values[:, 3] *= -1.0
    steps = steps_of(np.array([8.0, 8.0, 8.0, 0.0]), 6)
    assert steps.tolist() == [0.125, 0.125, 0.125, 0.0]
    (tmp_path / "x").write_bytes(pack(values, Rounding(bits=8, steps=steps)))
    back = Packed(tmp_path / "x").read()
    assert np.array_equal(back[:, 0], np.rint(values[:, 0] / 0.125) * 0.125)
    assert not back[:, 1].any() and Packed(tmp_path / "x").lengths[1] == 0
    # A row with what is no number, and one without a step, keep bits.
    assert np.array_equal(back[:, 2:], rounded(values[:, 2:]))
    (tmp_path / "y").write_bytes(pack(values, Rounding(bits=8, floor=0.25)))
    near = Packed(tmp_path / "y").read()
    assert np.array_equal(near, rounded((np.rint(values * 4.0) / 4.0).astype(np.float32)))


def test_bits_come_back_whatever_they_mean(tmp_path):
    raw = np.random.default_rng(1).integers(0, 2**32, (9, 5, 4), dtype=np.uint32)
    raw[0, 0] = [0x80000000, 0x7FC00001, 0xFF800000, 1]
    (tmp_path / "x").write_bytes(pack(raw.view(np.float32)))
    assert Packed(tmp_path / "x").read().tobytes() == raw.tobytes()


def test_a_part_of_another_version_is_refused(tmp_path):
    data = pack(series())
    (tmp_path / "x").write_bytes(data.replace(b'"packing": 2', b'"packing": 1', 1))
    with pytest.raises(InputError, match="another version"):
        Packed(tmp_path / "x")
