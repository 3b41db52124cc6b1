"""The datasheet says what the files say, and asks a person for the rest."""

import re

import pytest

from skelnas.pages.datasheet import CITATION, DEPOSIT, Described, Study, datasheet
from skelnas.results.query import Benchmark

ORIGIN = {"device": "A processor", "engine": "fused", "torch": "2.0", "skelnas": "0.2", "cells": {"777": "0-2,9"}}
CITED = {"authors": [{"name": "Ada"}], "license": "MIT", "version": "1.0", "date-released": "2026-11-22"}
MANIFEST = {
    "images": {"train": 4, "valid": 3, "test": 2},
    "classes": ["wave", "clap"],
    "height": 8,
    "width": 12,
    "encoding": "swap-axes",
    "split": {"rule": "subjects"},
    "mean": [1.0, 2.0, 3.0],
    "std": [4.0, 5.0, 6.0],
    "fingerprint": "ab" * 32,
    "excluded": {"a1": "empty"},
    "sources": [{"file": "data/raw/a.zip", "size": 1, "sha256": "cd" * 32}],
}


@pytest.fixture
def make_study(make_benchmark):
    def make(
        reader: str = "utd_mhad",
        analyses: tuple = (),
        origins: tuple = (ORIGIN,),
        manifest: dict = MANIFEST,
        **cited: str,
    ) -> Study:
        with Benchmark(make_benchmark([0, 1, 2, 9])) as benchmark:
            described = Described.of(benchmark, origins)
        block = {"reader": reader, "sources": [{"file": "a.zip", "url": "https://example.org/a.zip"}]}
        return Study("one", [described], {"tiny": manifest}, {"tiny": block}, analyses, CITED | cited)

    return make


def test_facts_are_those_of_the_files(make_study):
    page = datasheet(make_study())
    for fact in (
        "4 of 15,625 cells, seeds 777, 888; counts of correct predictions after each of 3 epochs",
        "4 train, 3 valid, 2 test; classes: wave, clap.",
        "Of tiny, 1 recording left out",
        "a.zip (https://example.org/a.zip), reader utd_mhad.",
        f"data/raw/a.zip has the SHA-256 {'cd' * 32}.",
        "4 trainings on A processor, engine fused, torch 2.0.",
        "images of 8 x 12 by the encoding swap-axes; split by rule subjects; means 1, 2, 3 and",
        "4 of the 15,625 cells, so that what is said is said of a sample.",
        "learning rate 0.1",
    ):
        assert fact in page
    assert page == datasheet(make_study())


def test_what_only_a_person_knows_is_asked_for_with_a_place(make_study):
    asked = [line for line in datasheet(make_study()).splitlines() if "A person's answer is needed**:" in line]
    assert len(asked) > 8
    assert all(re.search(rf"\?.* \(`[\w-]+` of `({CITATION}|{DEPOSIT})`\)$", line) for line in asked)
    answered = datasheet(make_study(abstract="Why not.", contact="Ada", doi="10.1/2", **{"repository-code": "here"}))
    assert answered.count("**A person's answer is needed**:") == len(asked) - 4
    assert "Purpose as its makers put it: Why not." in answered


def test_a_fold_is_told_by_its_rule(make_study):
    fold = {"number": 2, "count": 5, "rule": "k-fold", "by": "subject", "test": "0-3"}
    assert "split by rule k-fold, by subject, number 2, count 5;" in datasheet(
        make_study(manifest=MANIFEST | {"fold": fold})
    )


def test_nobody_is_asked_about_people_who_were_generated(make_study):
    page = datasheet(make_study("synthetic"))
    assert "Of tiny nobody was recorded" in page
    assert "agree" not in page.partition("## Collection")[0]


def test_the_checklist_claims_a_comparison_only_where_there_is_one(make_study):
    assert "Random search is among them" in datasheet(make_study(analyses=("search",)))
    assert "Random search is among them" not in datasheet(make_study())
    other = ORIGIN | {"device": "Another"}
    assert "Not one kind of machine: tiny, short was" in datasheet(make_study(origins=(ORIGIN, other)))
    assert "One kind of machine" in datasheet(make_study())
    assert "What trained tiny, short is not known" in datasheet(make_study(origins=()))
