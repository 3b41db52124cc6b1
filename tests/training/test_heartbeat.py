"""What a job leaves behind when it ends in any way, and whether it can be told from one that runs."""

import json
import multiprocessing
import os
import signal
import socket
import sys
import time

import pytest

from skelnas.errors import InputError
from skelnas.termination import ended_by_sigterm
from skelnas.training import heartbeat as module
from skelnas.training.heartbeat import Heartbeat, heartbeat, heartbeat_path, is_beating, read_heartbeat


@pytest.fixture
def shard(tmp_path):
    return tmp_path / "00000-00001.h5"


def work(shard, said=""):
    """A job that says something and then works for a minute."""
    with heartbeat(shard), ended_by_sigterm("ended by SIGTERM; finished cells are kept"):
        sys.stderr.write(said)
        shard.with_suffix(".ready").touch()
        time.sleep(60)


@pytest.fixture
def job(shard):
    """Starts a job in a process of its own, which is at work when this returns."""
    started = []

    def start(said=""):
        process = multiprocessing.get_context("fork").Process(target=work, args=(shard, said))
        process.start()
        started.append(process)
        while not shard.with_suffix(".ready").exists():
            time.sleep(0.01)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def test_a_job_that_runs_says_where(shard, job, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    process = job()
    beat = read_heartbeat(shard)
    assert (beat.state, beat.host, beat.process, beat.job) == ("running", socket.gethostname(), process.pid, "42")
    assert beat.time == pytest.approx(time.time(), abs=20)
    assert is_beating(beat, age=1)
    assert not is_beating(beat, age=module.SILENCE + 1)


def test_a_job_killed_without_notice_left_the_word_running_and_is_known_to_be_gone(shard, job):
    process = job()
    process.kill()
    process.join()
    beat = read_heartbeat(shard)
    assert beat.state == "running"
    assert not is_beating(beat, age=1)


def test_a_job_of_another_machine_is_judged_by_its_age():
    beat = Heartbeat("running", "another-machine", os.getpid(), "", time.time())
    assert is_beating(beat, age=module.SILENCE - 1)
    assert not is_beating(beat, age=module.SILENCE + 1)


def test_sigterm_is_an_end_with_its_last_words(shard, job):
    process = job("half of it done\n")
    os.kill(process.pid, signal.SIGTERM)
    process.join(20)
    beat = read_heartbeat(shard)
    assert (beat.state, beat.said) == ("ended", "ended by SIGTERM; finished cells are kept")
    assert not is_beating(beat, age=1)


@pytest.mark.parametrize(
    ("error", "said"),
    [(InputError("no GPU here; correct it"), "no GPU here; correct it"), (ValueError("odd"), "ValueError: odd")],
)
def test_an_error_is_said(shard, error, said):
    with pytest.raises(type(error)), heartbeat(shard):
        raise error
    assert (read_heartbeat(shard).state, read_heartbeat(shard).said) == ("failed", said)


def test_success_leaves_nothing(shard, capsys):
    with heartbeat(shard):
        print("said", file=sys.stderr)
        assert heartbeat_path(shard).is_file()
    assert not heartbeat_path(shard).exists()
    assert capsys.readouterr().err == "said\n"


def test_it_beats_and_keeps_the_last_line(shard, monkeypatch):
    monkeypatch.setattr(module, "EVERY", 0.02)
    with heartbeat(shard):
        first = read_heartbeat(shard)
        sys.stderr.write("one\n\rtwo, 40 s le")
        sys.stderr.write("ft")
        until = time.monotonic() + 20
        while read_heartbeat(shard).said != "two, 40 s left" and time.monotonic() < until:
            time.sleep(0.01)
        beat = read_heartbeat(shard)
        sys.stderr.write("\n\n")
    assert (first.said, beat.said) == ("", "two, 40 s left")
    assert beat.time > first.time


def test_a_full_disk_stops_no_job(shard, monkeypatch):
    def full(path, value):
        raise InputError("no space left")

    monkeypatch.setattr(module, "write_json", full)
    with heartbeat(shard):
        pass
    assert read_heartbeat(shard) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "skelnas heartbeat 1"}', '{"format": "x"}'])
def test_what_cannot_be_read_is_no_heartbeat(shard, content):
    heartbeat_path(shard).parent.mkdir()
    heartbeat_path(shard).write_text(content)
    assert read_heartbeat(shard) is None


def test_the_file_is_plain_json(shard, job):
    job()
    assert set(json.loads(heartbeat_path(shard).read_text())) == {
        *("format", "state", "host", "process", "job", "time", "said")
    }
