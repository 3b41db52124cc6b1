import dataclasses

from skelnas.analysis.data.card import data_card
from skelnas.analysis.data.numbers import data_card_table, duplicates


def test_the_table_holds_the_numbers_of_the_card(few):
    table = data_card_table(*few).set_index(["about", "which"])
    splits = ["train", "valid", "test"]
    assert table.loc[("class", "do something with number 1"), splits].tolist() == [2, 1, 2]
    assert table.loc[("subject", "2"), splits].tolist() == [4, 0, 0]
    assert table.loc["class", splits].sum().tolist() == [14, 5, 10]
    by_fact = data_card_table(*few).set_index("about")
    assert by_fact.loc["shortest recording, frames", splits].tolist() == [11, 14, 15]
    assert by_fact.loc["longest recording, frames", splits].tolist() == [13, 14, 16]
    assert by_fact.loc["mean length, frames", splits].tolist() == [12.0, 14.0, 15.5]
    assert by_fact.loc["frames without a body", splits].tolist() == [0, 0, 3]
    assert by_fact.loc["recordings with frames without a body", splits].tolist() == [0, 0, 1]
    assert by_fact.loc["excluded", ["which", "reason"]].to_numpy().tolist() == [
        ["a9_s1", "named missing"],
        ["a9_s2", "named missing"],
        ["a1_s2", "x.zip: a1_s2 is truncated at line 71"],
    ]
    assert "class,do something with number 1,2,1,2,\n" in data_card_table(*few).to_csv(index=False)


def test_a_recording_that_is_there_twice_is_told_and_across_splits_a_leak(few, texts):
    image_set, said = few
    assert duplicates(image_set, said) == []
    images = image_set.test_images.copy()
    images[0] = image_set.pool_images[image_set.train_index[0]]
    leak = dataclasses.replace(image_set, test_images=images)
    first, test = image_set.pool_names[image_set.train_index[0]], image_set.test_names[0]
    assert duplicates(leak, said) == [((first, test), ("train", "test"))]
    gaps = {**said, "missing-joints": {first: 3}, "padding": {first: 7}}
    table = data_card_table(leak, gaps).set_index("about")
    assert table.loc["duplicate", "reason"] == "the same image in train and test: a leak"
    assert (table.loc["missing-joints", "reason"], table.loc["padding", "reason"]) == ("3", "7")
    figure = data_card(leak, gaps)
    shown = " ".join(texts(figure))
    assert "2 recordings, 2 ACROSS SPLITS: A LEAK" in shown
    assert "3 joints in 1 recording" in shown
    assert "LEAK" not in " ".join(texts(data_card(image_set, said)))


def test_the_card_of_a_set_with_folds_counts_each_and_tells_what_leaks_between_them(build, texts):
    everyone, said = build(3, folds={"count": 6, "rule": "leave-one-subject-out"})
    images = everyone.pool_images.copy()
    images[1] = images[0]  # of subjects 1 and 2
    everyone = dataclasses.replace(everyone, pool_images=images)
    assert duplicates(everyone, said) == [(("a0_s1", "a0_s2"), ("fold 1", "fold 2"))]
    table = data_card_table(everyone, said)
    counts = table[table["about"] == "fold"][["which", "train", "valid", "test"]]
    assert counts["which"].tolist() == [str(number) for number in range(1, 7)]
    assert counts["test"].tolist() == [3, 2, 3, 3, 3, 3]  # one of subject 2 is excluded
    assert counts[["train", "valid", "test"]].sum(axis=1).tolist() == [17] * 6
    reasons = table[table["about"] == "duplicate"]["reason"].tolist()
    assert reasons == ["the same image in fold 1 and fold 2: a leak"]
    shown = " ".join(texts(data_card(everyone, said)))
    assert "2 recordings, 2 ACROSS FOLDS: A LEAK" in shown
    assert "6 folds, here as one" in shown
    assert "all folds (17)" in shown
