"""What a study imports: its files, and its mistakes."""

import pytest

from skelnas.errors import InputError
from skelnas.study import outputs
from skelnas.study.imported import imports_by_path
from skelnas.study.plan_report import plan_text
from skelnas.study.portable import study_configuration
from skelnas.study.profile import Profile
from skelnas.study.status_report import status_text

ENTRY = {"importer": "nasbench201", "source": "/home/somebody/c100.pkl", "dataset": "cifar100", "recipe": "e2"}


def configuration(*entries, runs=()):
    block = {"runs": list(runs), "imports": list(entries), "analyses": ["ranking"], "comparisons": []}
    return {"study": "s", "datasets": {}, "recipes": {"e2": {}}, "studies": {"s": block}}


def test_an_import_has_the_files_of_a_benchmark_without_losses_and_images():
    assert outputs.study_files(configuration(ENTRY), "s") == [
        "results/benchmark/s/cifar100/e2.h5",
        "results/benchmark/s/cifar100/e2.parquet",
        "results/analysis/s/cifar100/e2/ranking.csv",
        "results/explorer/s.html",
        "results/report/s.html",
        "results/datasheet/s.md",
    ]
    assert list(imports_by_path(configuration(ENTRY))) == ["s/cifar100/e2"]


def test_an_archive_names_the_source_without_the_folders_of_this_machine():
    found = study_configuration(configuration(ENTRY), "s")
    assert found["studies"]["s"]["imports"] == [{**ENTRY, "source": "c100.pkl"}]
    assert list(found["recipes"]) == ["e2"]


@pytest.mark.parametrize("text", [plan_text, status_text])
def test_plan_and_status_say_that_nothing_is_trained(text):
    assert "trains nothing: it reads 1 benchmark of others" in text("s", configuration(ENTRY), Profile())


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], r"studies\.s has neither runs nor imports"),
        ([{**ENTRY, "recipe": "e9"}], r"imports\[0\] names the unknown recipe 'e9'; recipes has e2"),
        ([ENTRY, ENTRY], r"imports\[1\]: the study has cifar100/e2 already"),
    ],
)
def test_mistakes(entries, words):
    with pytest.raises(InputError, match=words):
        outputs.study_files(configuration(*entries), "s")


def test_what_is_trained_is_not_imported_too():
    run = {"dataset": "cifar100", "recipe": "e2"}
    with pytest.raises(InputError, match="the study has cifar100/e2 already"):
        imports_by_path(configuration(ENTRY, runs=[run]))
