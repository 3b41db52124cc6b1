from bench.planted import rates


def test_what_is_planted_is_found_and_nothing_else():
    found = rates(20)
    told = "some cell is told from the best"
    assert found["nothing"][told] <= 0.2
    assert found["exponential"][told] == 1
    assert found["normal"]["90 % interval of the rank holds the rank"] > 0.8
    assert abs(found["nothing"]["Kendall's tau-b of two seeds"]) < 0.1
    assert (
        found["exponential"]["the same after correction by the tail"]
        < 0.5 * found["exponential"]["best 10 of one seed: points too high"]
    )
