"""SIGTERM: an end at once, or after a loop has saved."""

import signal

import pytest

from skelnas.termination import asked, deferred, end_if_asked, ended_by_sigterm


def test_sigterm_is_a_sentence_and_an_exit_status(capsys):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end, ended_by_sigterm("what is finished is kept"):
        signal.raise_signal(signal.SIGTERM)
    assert end.value.code == 143
    assert capsys.readouterr().err == "what is finished is kept\n"
    assert signal.getsignal(signal.SIGTERM) == before
    assert not asked()


def test_a_loop_is_asked_and_ends_when_it_is_ready(capsys):
    done = []
    with pytest.raises(SystemExit) as end, ended_by_sigterm("last words"), deferred():
        signal.raise_signal(signal.SIGTERM)
        assert asked()
        signal.raise_signal(signal.SIGTERM)
        done.append("saved")
        end_if_asked()
        done.append("never")
    assert end.value.code == 143
    assert done == ["saved"]
    assert capsys.readouterr().err == "last words\n"


def test_what_was_asked_in_one_loop_is_not_forgotten_in_the_next():
    with pytest.raises(SystemExit), ended_by_sigterm():
        with deferred():
            signal.raise_signal(signal.SIGTERM)
        with deferred():
            pytest.fail("a loop began after SIGTERM")


def test_without_sigterm_nothing_ends():
    with ended_by_sigterm("nothing"), deferred():
        end_if_asked()
    assert not asked()
