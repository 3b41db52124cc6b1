"""Which group comes next: partitioned, tried again, halved, made smaller."""

from skelnas.training.gpu.schedule import Breaker, Schedule, even_size

JOBS = [(0, 777), (9, 777), (1651, 777), (1835, 888), (7581, 777)]
START = dict.fromkeys(JOBS, (0, 0))


def taken(schedule):
    tasks = []
    while task := schedule.take(0):
        tasks.append(task)
    return tasks


def jobs_of(tasks):
    return sorted(job for task in tasks for job in task.group)


def test_every_job_is_in_one_group_and_all_groups_share_one_engine():
    tasks = taken(Schedule(JOBS, 2, START))
    assert jobs_of(tasks) == JOBS
    assert sorted(len(task.group) for task in tasks) == [1, 2, 2]
    assert len({(task.models, task.capacity.total) for task in tasks}) == 1
    assert tasks[0].models == 2


def test_jobs_that_go_on_from_different_places_are_not_mixed():
    places = START | {JOBS[0]: (1, 4), JOBS[3]: (1, 4)}
    tasks = taken(Schedule(JOBS, 5, places))
    assert {frozenset(places[job] for job in task.group) for task in tasks} == {
        frozenset([(0, 0)]),
        frozenset([(1, 4)]),
    }
    assert jobs_of(tasks) == JOBS


def test_a_failing_group_is_tried_again_and_then_halved_down_to_the_job_at_fault():
    schedule, bad, tried, blamed = Schedule(JOBS, 5, START), (9, 777), [], []
    while task := schedule.take(0):
        if bad in task.group:
            tried.append(len(task.group))
            if not schedule.failed(task):
                blamed += task.group
    assert blamed == [bad]
    assert tried[:2] == [5, 5]
    assert tried == sorted(tried, reverse=True)
    assert tried[-1] == 1


def test_without_memory_groups_are_halved_and_none_is_lost():
    schedule = Schedule(JOBS, 5, START)
    first = schedule.take(0)
    assert schedule.too_large(first)
    assert schedule.size == 2
    tasks = taken(schedule)
    assert jobs_of(tasks) == JOBS
    assert {task.models for task in tasks} == {2}
    assert not schedule.too_large(tasks[0]._replace(models=1))


def test_a_second_engine_of_the_old_size_does_not_halve_again():
    """Two processes ran out of memory with groups of five; both had them before the first said so."""
    schedule = Schedule(JOBS * 1, 3, START)
    one, other = schedule.take(0), schedule.take(1)
    schedule.too_large(one)
    assert schedule.size == 1
    schedule.too_large(other)
    assert schedule.size == 1
    assert jobs_of(taken(schedule)) == JOBS


def test_even_groups_keep_all_workers_busy():
    assert even_size(1000, 334, 1) == 334
    assert even_size(1000, 334, 2) == 250
    assert even_size(1000, 334, 4) == 250
    assert even_size(1000, 400, 8) == 125
    assert even_size(3, 4096, 1) == 3
    assert even_size(1, 1, 1) == 1


def test_only_groups_without_a_job_in_common_that_fail_alike_are_no_use():
    breaker = Breaker()
    assert not breaker.trips(JOBS[:4], "a fault at 0x7f12")
    assert not breaker.trips(JOBS[:2], "a fault at 0x7f13")  # its half
    assert not breaker.trips(JOBS[4:], "another fault")
    assert breaker.trips(JOBS[2:4], "a fault at 0x7f14")
    trained = Breaker()
    trained.trips(JOBS[:2], "a fault")
    trained.trained()
    assert not trained.trips(JOBS[2:], "a fault")
