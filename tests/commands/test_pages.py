"""Report and explorer of a benchmark file without the workflow."""

from skelnas.analysis.catalogue import ANALYSES
from skelnas.commands import main, pages
from skelnas.pages.seal import is_whole


def test_both_pages_are_made_and_named(make_benchmark, tmp_path, monkeypatch, capsys):
    few = {name: ANALYSES[name] for name in ("ranking", "accuracy-and-cost", "intraclass-correlation")}
    monkeypatch.setattr(pages, "ANALYSES", few)
    path = make_benchmark([0, 7, 11], seeds=(777,))
    assert main(["pages", str(path), "--to", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    for kind in ("report", "explorer"):
        made = tmp_path / f"out/{kind}/{path.stem}.html"
        assert is_whole(made.read_bytes())
        assert str(made) in said
    text = (tmp_path / f"out/report/{path.stem}.html").read_text()
    assert text.count("<article>") == 3
    assert text.count("<img") == 1
