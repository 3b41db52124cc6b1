"""Records: whole and undamaged, or absent."""

import numpy as np
import pytest

from skelnas.files import read_record, write_record


def test_record_is_written_though_another_process_removes_the_folder(tmp_path, monkeypatch):
    """Removes the folder once, in the middle of writing, as the process that finishes first would."""
    path = tmp_path / "journal" / "00007.cell"
    original, removed = type(path).write_bytes, []

    def remove_after_writing(self, data):
        original(self, data)
        if not removed:
            self.unlink()
            self.parent.rmdir()
            removed.append(self)

    monkeypatch.setattr(type(path), "write_bytes", remove_after_writing)
    write_record(path, {"a": np.arange(3)})
    assert removed
    assert read_record(path)["a"].tolist() == [0, 1, 2]


def test_pickles_are_refused(tmp_path):
    write_record(tmp_path / "a", {"a": np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle"):
        read_record(tmp_path / "a")
