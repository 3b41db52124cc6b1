from skelnas.study.slurm import last_states, queued_jobs, states

LINES = [
    "skelnas_1a|RUNNING|rule_train_wildcards_a_b_777_00000-00009",
    "skelnas_2b|PENDING|rule_train_wildcards_a_b_777_00000-00009",
    "skelnas_1a|PENDING|rule_train_wildcards_a_b_777_00010-00019",
    "another|RUNNING|rule_train_wildcards_a_b_777_00020-00029",
    "skelnas_1a|RUNNING|with|a bar",
]


def test_states_by_comment_with_the_running_job_first():
    found = {"rule_train_wildcards_a_b_777_00000-00009": "RUNNING"}
    found |= {"rule_train_wildcards_a_b_777_00010-00019": "PENDING", "with|a bar": "RUNNING"}
    assert states(LINES, "skelnas") == found
    assert states(reversed(LINES), "skelnas") == found


def test_no_answer_where_there_is_no_slurm_or_it_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert queued_jobs("skelnas") is None
    fake = tmp_path / "squeue"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    assert queued_jobs("skelnas") is None
    fake.write_text("#!/bin/sh\necho 'skelnas_1|RUNNING|x'\n")
    assert queued_jobs("skelnas") == {"x": "RUNNING"}


def test_how_jobs_ended_where_the_accounting_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert last_states(["12", "7", ""]) == {}
    fake = tmp_path / "sacct"
    fake.write_text("#!/bin/sh\n[ \"$5\" = --jobs=12,7 ] && printf '12|TIMEOUT\\n7|CANCELLED by 0\\n'\n")
    fake.chmod(0o755)
    assert last_states(["12", "7", ""]) == {"12": "TIMEOUT", "7": "CANCELLED by 0"}
    assert last_states(["", ""]) == {}
