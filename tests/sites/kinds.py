"""What each kind of site refuses, as its documentation says it (docs/cluster.md names the sources)."""

from dataclasses import dataclass, field

CPUS = r"--cpus-per-(gpu|task)"


@dataclass(frozen=True)
class Kind:
    """A kind of site: pairs of its words and the pattern of command lines that it refuses with them."""

    refuses: tuple[tuple[str, str], ...]
    banner: str = ""
    sinfo: str = "gpu*"
    accounts: tuple[str, ...] = ("my-project",)
    takes_shipped: bool = False
    nodes: dict[str, str] = field(default_factory=dict)


KINDS = {
    # Universities and clouds; one job may not spread over nodes.
    "gpus": Kind(
        (("sbatch: error: Users must specify --nodes for all GPU partitions", "^(?!.*--nodes)"),), takes_shipped=True
    ),
    # "--gpus=N reads as a CPU job and is refused"
    "gres": Kind((("sbatch: error: GPU partition, but no GPU was asked for with --gres", "^(?!.*--gres=gpu)"),)),
    "gpus-per-node": Kind(
        (
            ("sbatch: error: Please use --gpus-per-node", "^(?!.*--gpus-per-node)"),
            ("sbatch: error: --gpus is not supported", r"--gpus[= ]"),
        )
    ),
    "whole-node": Kind(
        (
            ("sbatch: error: Only whole nodes: ask for --gres=gpu:4", r"^(?!.*--gres=gpu:4\b)"),
            ("sbatch: error: Whole nodes have all of their memory: do not use --mem", "--mem"),
            ("sbatch: error: Please give the number of nodes (--nodes)", "^(?!.*--nodes)"),
        )
    ),
    "nothing-asked": Kind(
        (
            ("", "^(?!.*--nodes)"),
            ("", "--mem"),
            ("", r"--gpus|--gres"),
        ),
        banner="""
-----------------------------------------------------------------
          Welcome to the Lonestar6 Supercomputer
-----------------------------------------------------------------

No reservation for this job
--> Verifying valid submit host (login1)...OK
--> Checking available allocation (ABC12345)...OK
""",
    ),
    "no-partition": Kind(
        (
            ("sbatch: error: Please do not specify a partition, jobs are routed by their time", "-p "),
            ("sbatch: error: Job submit/allocate failed: Invalid account", "^(?!.*-A my-project)"),
        ),
        sinfo="",
    ),
}
