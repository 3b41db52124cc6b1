"""Twenty seeded seconds of flipped header bits: no hang, no crash, no traceback, no silent change. `make fuzz`: all."""

import pytest

from . import hdf5_headers


@pytest.mark.slow
def test_no_flipped_bit_of_a_header_hangs_or_goes_unnoticed():
    found = dict(hdf5_headers.count(seconds=20, seed=4))
    assert all(sum(counts[outcome] for outcome in hdf5_headers.OUTCOMES) > 5 for counts in found.values()), found
    assert hdf5_headers.faults(found) == []
