import sys

import pytest

from skelnas.errors import InputError
from skelnas.script import run


def test_messages_go_to_the_log_and_to_the_terminal(tmp_path, capsys):
    log = tmp_path / "logs" / "a.log"
    run(lambda words: sys.stderr.write(words), str(log), words="half done\n")
    assert log.read_text() == "half done\n"
    assert capsys.readouterr().err == "half done\n"


def test_a_users_mistake_is_one_sentence_and_status_one(tmp_path, capsys):
    def refuse():
        raise InputError("a.zip is cut off; fetch it again")

    with pytest.raises(SystemExit) as stopped:
        run(refuse, str(tmp_path / "a.log"))
    assert stopped.value.code == 1
    assert (tmp_path / "a.log").read_text() == "a.zip is cut off; fetch it again\n"
    assert capsys.readouterr().err == "a.zip is cut off; fetch it again\n"


def test_a_mistake_of_ours_is_a_traceback_in_the_log_too(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(lambda: 1 / 0, str(tmp_path / "a.log"))
    assert stopped.value.code == 1
    assert (tmp_path / "a.log").read_text().splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):")


def test_a_log_on_a_full_disk_leaves_the_sentence_on_the_terminal(tmp_path, capsys):
    def refuse():
        sys.stderr.write("half done\n")
        raise InputError("a.h5 cannot be written: No space left on device; make room")

    (tmp_path / "a.log").symlink_to("/dev/full")  # which refuses every write, as a full disk does
    with pytest.raises(SystemExit) as stopped:
        run(refuse, str(tmp_path / "a.log"))
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "half done\na.h5 cannot be written: No space left on device; make room\n"


def test_a_log_that_cannot_be_opened(tmp_path, capsys):
    (tmp_path / "logs").write_text("a file, not a folder")
    run(lambda: sys.stderr.write("done\n"), str(tmp_path / "logs/a.log"))
    assert capsys.readouterr().err == "done\n"


def test_a_name_that_is_no_text_does_not_end_the_log(tmp_path):
    run(lambda: sys.stderr.write(ascii("\udcff") + "\n"), str(tmp_path / "a.log"))
    assert (tmp_path / "a.log").read_text() == "'\\udcff'\n"


def test_a_stop_from_the_keyboard_is_no_traceback(tmp_path, capsys):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        run(interrupted, str(tmp_path / "a.log"))
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "stopped from the keyboard; run again to go on\n"
