"""What `skelnas plan` says of shards that another engine trained than the one asked for."""

from types import SimpleNamespace

from skelnas.results.timing import write_timing
from skelnas.study.plan_report import fallback_sentence


def test_shards_of_the_fallback_are_counted_and_the_first_is_named(tmp_path):
    engines = {"a.h5": "fused", "b.h5": "graphed", "c.h5": "graphed", "d.h5": None}
    for name, engine in engines.items():
        if engine:
            write_timing(tmp_path / name, 777, {}, {"engine": engine, "torch": "2.13", "skelnas": "0.1"})
    shards = [SimpleNamespace(path=tmp_path / name, finished=True) for name in engines]
    estimates = [SimpleNamespace(state=SimpleNamespace(shards=shards))]
    (sentence,) = fallback_sentence(estimates, "fused")
    assert sentence.startswith("2 finished shards were trained by the slower engine graphed")
    assert f"{tmp_path / 'b.h5'} first" in sentence
    assert fallback_sentence(estimates, "graphed") == []
    assert fallback_sentence([SimpleNamespace(state=SimpleNamespace(shards=shards[:1]))], "fused") == []
