"""sbatch's stand-in on sites that print banners, refuse jobs, or take no more of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .fake_slurm import FULL, GENERIC, Site

SBATCH = Path(__file__).resolve().parents[2] / "slurm/bin/sbatch"
JOB = ("--parsable", "--comment", "rule_train_wildcards_a_b_1_00000-00009", "--nodes=1", "--gpus=1")
# As published for Frontera and Vista of the Texas Advanced Computing Center.
WELCOME = """
-----------------------------------------------------------------
          Welcome to the Vista Supercomputer
-----------------------------------------------------------------

No reservation for this job
--> Verifying valid submit host (login2)...OK
--> Verifying valid jobname...OK
--> Verifying availability of your work dir (/scratch/01234/me)...OK
--> Checking available allocation (ABC12345)...OK
--> Quotas are 10 of 20 and 3 files
"""


class Main:
    """A process that looks like snakemake to the stand-in: it has read the Snakefile, and waits for sbatch."""

    CODE = """
import subprocess, sys, signal
from skelnas.study import stand_ins
import os
signal.signal(signal.SIGTERM, lambda *_: None)
os.environ.update(stand_ins.main_process(), SKELNAS_SLURM_CONF=stand_ins.conf_file(os.environ))
for name in [name for name in os.environ if name.startswith("SLURM_")]:
    del os.environ[name]  # as the executor does
pipe = subprocess.PIPE
child = subprocess.Popen(sys.argv[1:], stdout=pipe, stderr=pipe, text=True, start_new_session=True)
while True:
    try:
        out, _ = child.communicate()
        break
    except KeyboardInterrupt:
        pass
print(child.returncode, out, end="")
"""

    def __init__(self, site: Site, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder, self.errors = folder, folder / "main.txt"
        with self.errors.open("w") as errors:
            errors.write("main process\n")
            errors.flush()
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.CODE, str(SBATCH), *(arguments or JOB)],
                cwd=folder,
                env=site.environment(**environment),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def answer(self) -> tuple[int, str]:
        """sbatch's exit status and what it printed."""
        out, _ = self.process.communicate(timeout=60)
        code, _, printed = out.partition(" ")
        return int(code), printed

    def said(self) -> str:
        """What the main process's standard error has."""
        return self.errors.read_text()

    def log(self) -> str:
        """What logs/sbatch.log has."""
        path = self.folder / "logs/sbatch.log"
        return path.read_text() if path.exists() else ""

    def wait_for(self, words: str) -> None:
        """Until the main process's standard error has these words."""
        deadline = time.monotonic() + 60
        while words not in self.said():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)


def submitted(site: Site) -> int:
    return len([call for call in site.calls("sbatch") if "--test-only" not in call])


def test_only_the_number_whatever_the_site_prints(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", banner=WELCOME)
    main = Main(site, tmp_path)
    assert main.answer() == (0, "1000\n")
    assert "train a_b_1_00000-00009: --> Verifying valid submit host (login2)...OK" in main.log()
    assert submitted(site) == 1
    assert main.said() == "main process\n"


def test_several_clusters_keep_their_name(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    (site.folder / "sbatch").write_text("#!/bin/sh\necho 'You have 3 jobs'\necho '17;alps'\n")
    assert Main(site, tmp_path).answer() == (0, "17;alps\n")


OLD = f"sbatch: error: Batch job submission failed: {GENERIC}"
TACC = "FAILED\n    [*] Too many simultaneous jobs in queue.\n        --> Max job limits for me =  20 jobs"


@pytest.mark.parametrize("words", [FULL, OLD, TACC, FULL.replace("QOSMaxSubmitJobPerUser", "AssocMaxSubmitJob")])
def test_waits_while_the_site_takes_no_more_jobs(tmp_path: Path, words: str) -> None:
    site = Site(tmp_path / "site", full=words, full_times=1)
    main = Main(site, tmp_path)
    main.wait_for("this site takes no more jobs of yours for now")  # while it waits
    assert main.answer() == (0, "1000\n")
    assert submitted(site) == 2
    assert main.said().count("takes no more jobs") == 1
    assert " ".join(words.split()[-3:]) in main.said()
    assert main.said().startswith("main process\ntrain a_b_1_00000-00009: this site")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            "Invalid account or account/partition combination specified",
            "one of these as slurm_account into the profile: x_gpu",
        ),
        ("invalid partition specified: gpu", "as slurm_partition into the profile: a100 h100 (or"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "lower runtime"),
        (f"QOSMaxWallDurationPerJobLimit\nsbatch: error: {GENERIC}", "lower runtime"),
        ("Invalid generic resource (gres) specification", "skelnas profile gres"),
        ("Users must specify --nodes for all GPU partitions", "write `nodes: 1`"),
        ("the --mem option is not available; the scheduler will not accept your job", "mem_mb: 0 under train AND"),
        ("Something else", "docs/cluster.md has a table"),
    ],
)
def test_a_refusal_is_said_once_with_its_remedy(tmp_path: Path, words: str, remedy: str) -> None:
    site = Site(tmp_path / "site", refuses=[(f"sbatch: error: {words}", ".")], accounts=("x_gpu",), sinfo="a100\nh100")
    main = Main(site, tmp_path)
    code, printed = main.answer()
    assert (code, printed) == (1, "")
    assert submitted(site) == 1
    [line] = main.said().splitlines()[1:]
    assert line.startswith(f"train a_b_1_00000-00009: sbatch refuses: {words.splitlines()[0]}")
    assert remedy in line
    assert line in main.log()


def test_the_probe_is_tried_before_it_is_handed_in(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", refuses=[("sbatch: error: Invalid qos specification", "--gpus")])
    probe = ("--parsable", "--comment", "rule_preflight_node_wildcards_thesis", "--nodes=1")
    main = Main(site, tmp_path, *probe, "--gpus=1")
    assert main.answer()[0] == 1
    assert (
        "preflight_node thesis: this site would refuse the job: Invalid qos specification; write the qos" in main.said()
    )
    assert submitted(site) == 0
    (tmp_path / "again").mkdir()
    main = Main(site, tmp_path / "again", *probe)
    assert main.answer() == (0, "1000\n")
    assert "SLURM would take the job: Job 99 to start at 2026-12-01T10:00:00" in main.said()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_stops_waiting_when_the_main_process_is_interrupted_or_gone(tmp_path: Path, number: int) -> None:
    site = Site(tmp_path / "site", full_times=100)
    main = Main(site, tmp_path)
    main.wait_for("takes no more jobs")
    main.process.send_signal(number)
    if number == signal.SIGKILL:
        main.process.wait()
        deadline = time.monotonic() + 30
        while "not handed in: snakemake was ended" not in main.log():
            assert time.monotonic() < deadline, main.log()
            time.sleep(0.2)
    else:
        assert main.answer() == (1, "")
    before = submitted(site)
    site.full_times = 0
    site.write()
    time.sleep(3)  # the first pause is 2 s
    assert submitted(site) == before


def test_slurm_conf_is_given_back(tmp_path: Path) -> None:
    conf = str(tmp_path / "slurm.conf")
    site = Site(tmp_path / "site", conf=conf)
    assert Main(site, tmp_path, SLURM_CONF=conf, SLURM_JOB_ID="7").answer() == (0, "1000\n")


def test_other_commands_get_slurm_conf_back_too(tmp_path: Path) -> None:
    conf = str(tmp_path / "slurm.conf")
    site = Site(tmp_path / "site", conf=conf)
    folder = SBATCH.parents[1] / "conf-bin"
    environment = site.environment(SKELNAS_SLURM_CONF=conf)
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    for name in ("squeue", "srun", "scancel", "scontrol", "sinfo", "sacctmgr", "sshare"):
        command = [name, "true"] if name == "srun" else [name]
        assert subprocess.run(command, env=environment, check=False).returncode == 0, name
    assert len(site.calls("squeue", "srun", "scancel", "scontrol", "sinfo", "sacctmgr", "sshare")) == 7


def test_a_file_as_standard_error_loses_no_line(tmp_path: Path) -> None:
    """Two writers of one file, as `snakemake ... 2> main.txt` and the stand-in are."""
    code = (
        "import os, sys, subprocess\nfrom skelnas.study import stand_ins\nstand_ins.append_to_standard_error()\n"
        "for n in range(3):\n    sys.stderr.write(f'main {n}\\n'); sys.stderr.flush()\n"
        "    subprocess.run(['/bin/sh', '-c', f'echo other {n} >> /proc/{os.getpid()}/fd/2'], stderr=subprocess.PIPE)\n"
    )
    path = tmp_path / "errors.txt"
    with path.open("w") as errors:
        subprocess.run([sys.executable, "-c", code], stderr=errors, check=True, env=dict(os.environ))
    assert path.read_text() == "main 0\nother 0\nmain 1\nother 1\nmain 2\nother 2\n"
