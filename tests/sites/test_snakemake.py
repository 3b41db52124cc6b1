"""The executor and the stand-ins together, as a person calls them: what a site prints, refuses and limits."""

import pytest

from .conftest import Call
from .fake_slurm import Site
from .test_sbatch import WELCOME, submitted

pytestmark = pytest.mark.workflow
PREFLIGHT = ("--", "logs/preflight/tiny.json")


def test_a_site_with_a_banner_and_a_full_queue_inside_a_job(tmp_path, snakemake: Call) -> None:
    conf = str(tmp_path / "slurm.conf")
    site = Site(tmp_path / "site", banner=WELCOME, full_times=1, conf=conf)
    done = snakemake(site, "slurm", *PREFLIGHT, SLURM_CONF=conf, SLURM_JOB_ID="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert submitted(site) == 2
    assert (
        "preflight_node tiny: this site takes no more jobs of yours for now (QOSMaxSubmitJobPerUserLimit" in done.stderr
    )


def test_a_refusal_is_on_the_terminal(tmp_path, snakemake: Call) -> None:
    words = "sbatch: error: Users must specify --nodes for all GPU partitions"
    site = Site(tmp_path / "site", refuses=[(words, "--gpus")])
    done = snakemake(site, "slurm", *PREFLIGHT)
    assert done.returncode == 1
    said = "this site would refuse the job: Users must specify --nodes for all GPU partitions; write `nodes: 1`"
    assert said in done.stderr
    assert submitted(site) == 0
    assert len(site.calls("sbatch")) == 1  # tried once, not five times


def test_what_a_step_lacks_is_a_problem(tmp_path, checkout, snakemake: Call) -> None:
    """--gres with cpus_per_gpu gives the step one core; HOME cannot be written on nodes, and nothing fails of it."""
    text = (checkout.folder / "slurm/config.yaml").read_text()
    (checkout.folder / "other").mkdir()
    asked = text.replace("    gpu: 1 ", "    gres: \"'gpu:1'\" ").replace("mem_mb: attempt * 8000", "mem_mb: 8000")
    (checkout.folder / "other/config.yaml").write_text(asked)
    partition = "PartitionName=gpu MaxTime=02:00:00 QoS=N/A"
    answers = {"show config": "MinJobAge = 300 sec", "--oneliner show partition gpu": partition}
    site = Site(tmp_path / "site", scontrol=answers, home="/proc/nowhere")
    done = snakemake(site, "other", *PREFLIGHT)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "has one core of the 2 asked for" in said
    assert "jobs of partition gpu may take 120 minutes, and runtime is 240: lower it" in said
    assert "HOME (/proc/nowhere) cannot be written on" in said
    assert "preflight: 2 of " in said
