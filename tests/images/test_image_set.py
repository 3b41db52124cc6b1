import dataclasses
from pathlib import Path

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.images import image_set as module
from skelnas.images.image_set import ImageSet, fingerprint_of, read_image_set, sealed, write_image_set

from .small import small


def test_written_and_read_it_is_the_same(image_set: ImageSet, tmp_path: Path) -> None:
    write_image_set(tmp_path / "new" / "small.h5", image_set)
    again = read_image_set(tmp_path / "new" / "small.h5")
    for field in dataclasses.fields(ImageSet):
        assert np.array_equal(getattr(again, field.name), getattr(image_set, field.name)), field.name
    assert again.class_names == ("wave", "clap", "wink ñ")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["small.h5"]


def test_equal_image_sets_are_equal_files(image_set: ImageSet, tmp_path: Path) -> None:
    write_image_set(tmp_path / "one.h5", image_set)
    write_image_set(tmp_path / "two.h5", small(workers=2))
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_the_fingerprint_depends_on_every_field(image_set: ImageSet) -> None:
    seen = {image_set.fingerprint}
    for field in dataclasses.fields(ImageSet):
        if field.name == "fingerprint":
            continue
        value = getattr(image_set, field.name)
        if isinstance(value, np.ndarray):
            other = value.copy()
            other.flat[-1] += 1
        else:
            other = (*value[:-1], "x") if isinstance(value, tuple) else value + "x"
        seen.add(fingerprint_of(dataclasses.replace(image_set, **{field.name: other})))
    assert len(seen) == len(dataclasses.fields(ImageSet))


def test_an_array_that_came_later_changes_the_fingerprint_only_where_it_holds_something(
    image_set: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclasses.dataclass(frozen=True, eq=False)
    class Later(ImageSet):
        pool_gaps: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    monkeypatch.setitem(module.ARRAYS, "pool_gaps", np.int64)
    monkeypatch.setattr(module, "LATER", frozenset({"pool_gaps"}))
    empty = Later(**vars(image_set))
    assert fingerprint_of(empty) == image_set.fingerprint
    filled = dataclasses.replace(empty, pool_gaps=np.array([0]))
    assert fingerprint_of(filled) != image_set.fingerprint


def test_an_image_set_with_a_foreign_fingerprint_is_not_written(image_set: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fingerprint"):
        write_image_set(tmp_path / "small.h5", dataclasses.replace(image_set, fingerprint="0" * 64))
    assert list(tmp_path.iterdir()) == []


def test_no_damage_passes_unnoticed(image_set: ImageSet, tmp_path: Path) -> None:
    path = tmp_path / "small.h5"
    write_image_set(path, image_set)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.choice(len(whole), 150, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert fingerprint_of(read_image_set(path)) == image_set.fingerprint  # a byte that nothing uses
        except InputError:
            refused += 1
    assert refused > 75
    for length in (0, 7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="cannot be read"):
            read_image_set(path)


def test_what_is_no_image_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.h5: there is no such image set"):
        read_image_set(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(InputError, match=r"text\.h5 cannot be read as an image set"):
        read_image_set(tmp_path / "text.h5")


def test_sealed_gives_the_fingerprint_of_the_content(image_set: ImageSet) -> None:
    brighter = sealed(dataclasses.replace(image_set, mean=image_set.mean + 1))
    assert brighter.fingerprint == fingerprint_of(brighter) != image_set.fingerprint
