"""A throw-away SLURM cluster on this machine: two nodes with one and two GPUs, with or without accounting.

    python tests/slurm/cluster.py up [--no-accounting]
    python tests/slurm/cluster.py kill-node n1 | start-node n1 | stop-controller | start-dbd | ... | down

Needs root on Debian 12 (or a relative), and the right to make mount namespaces and device files. Everything lies under
`FOLDER`; SLURM's commands find it because /etc/slurm/slurm.conf points there, and a slurm.conf that is not ours is
never touched. Every daemon listens on 127.0.0.1 only. A node is a mount namespace with its own slurmd, so that it can
be switched off with all that runs on it, and can have a disk that is full for itself alone. The GPUs are device files
that nothing opens: SLURM counts them and sets CUDA_VISIBLE_DEVICES, which is all that the workflow asks of it.
"""

import argparse
import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import configuration
import daemons
from configuration import DATABASE_PORT, ETC, FOLDER, NODES

CLONE_NEWNS = 0x00020000  # of sched.h: a mount namespace

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "slurmdbd", "slurm-wlm-mysql-plugin", "munge"]
PACKAGES += ["mariadb-server-core", "mariadb-client-core"]  # without mariadb-server: no service of its own
COMMANDS = [
    "slurmctld",
    "slurmd",
    "sbatch",
    "slurmdbd",
    "mariadbd",
    "mariadb-install-db",
    "my_print_defaults",
    "munged",
]


def up(accounting: bool = True) -> None:
    """Install what is missing and bring the cluster up afresh; returns when both nodes are idle.

    Raises:
        SystemExit: not root, or SLURM on this machine belongs to somebody else.
    """
    if os.geteuid() != 0:
        raise SystemExit("the test cluster needs root: run it in a container or a virtual machine")
    if found := configuration.foreign():
        raise SystemExit(f"{found[0]} belongs to another cluster; the test cluster does not replace it")
    down()
    install()
    configuration.write(accounting)
    _start_munge()
    if accounting:
        _start_database()
        start_dbd()
        for what in ("cluster skelnas", "account tests", "user root account=tests"):
            daemons.run("sacctmgr", "-i", "add", *what.split())
    start_controller()
    for node in NODES:
        start_node(node)


def be_alone() -> None:
    """Give this process, and all that it starts, an /etc/slurm of its own: other clusters can run beside this one.

    Raises:
        OSError, RuntimeError: no right to make mount namespaces.
    """
    ETC.mkdir(exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace can be made")
    daemons.run("mount", "--make-rprivate", "/")
    daemons.run("mount", "-t", "tmpfs", "slurm", str(ETC))


def down() -> None:
    """Stop everything that `up` started and remove its files; harmless when nothing runs."""
    for node in NODES:
        kill_node(node)
    for name in ("slurmctld", "slurmdbd", "mariadbd", "munged", *NODES):
        daemons.stop(name)
    configuration.remove_links()
    shutil.rmtree(FOLDER, ignore_errors=True)


def install() -> None:
    """Install Debian's packages where a command is missing; whoever comes second waits."""
    with Path("/tmp/skelnas-slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(shutil.which(command) for command in COMMANDS):
            _install()


def _install() -> None:
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], check=True, env=quiet, stdout=sys.stderr)
    subprocess.run([*apt, "install", "--no-install-recommends", *PACKAGES], check=True, env=quiet, stdout=sys.stderr)


def start_controller() -> None:
    """Start slurmctld and wait until it answers."""
    daemons.start("slurmctld", "-D")
    daemons.wait(lambda: daemons.answers("scontrol", "ping"), "slurmctld")


def stop_controller() -> None:
    """Stop slurmctld; running jobs go on."""
    daemons.stop("slurmctld")


def start_dbd() -> None:
    """Start slurmdbd and wait until it answers."""
    daemons.start("slurmdbd", "-D")
    daemons.wait(lambda: daemons.answers("sacctmgr", "-n", "list", "cluster"), "slurmdbd")


def stop_dbd() -> None:
    """Stop slurmdbd: sacct fails, slurmctld keeps the records until it is back."""
    daemons.stop("slurmdbd")


def start_node(node: str) -> None:
    """Switch a node on and wait until it takes jobs."""
    if not daemons.running(node):
        daemons.start(node, "unshare", "--mount", "sleep", "infinity")
        daemons.wait(lambda: daemons.namespace(node) is not None, f"the mount namespace of {node}")
    daemons.start(
        f"slurmd-{node}", "nsenter", f"--mount=/proc/{daemons.running(node)}/ns/mnt", "slurmd", "-D", "-N", node
    )
    daemons.wait(lambda: node_state(node) in ("idle", "mixed", "allocated"), f"slurmd of {node}")


def kill_node(node: str) -> None:
    """Switch a node off: slurmd and all jobs on it vanish at once; SLURM notices within half a minute."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        processes = [pid for pid in daemons.processes_in(daemons.namespace(node)) if pid != daemons.running(node)]
        if not processes:
            return
        for pid in processes:
            daemons.kill(pid)
        time.sleep(0.05)
    raise RuntimeError(f"processes {processes} of {node} do not end")


def fill_disk(node: str, folder: Path) -> None:
    """Lay a full disk over a folder, on one node only: every byte written there fails with ENOSPC."""
    daemons.run(*_on(node), "mount", "-t", "tmpfs", "-o", "size=64k", "full", str(folder))
    subprocess.run([*_on(node), "dd", "if=/dev/zero", f"of={folder}/ballast"], stderr=subprocess.DEVNULL, check=False)


def free_disk(node: str, folder: Path) -> None:
    """Take the full disk away again."""
    daemons.run(*_on(node), "umount", str(folder))


def node_state(node: str) -> str:
    """What sinfo says of a node: idle, mixed, down, down*, ..."""
    return daemons.run("sinfo", "--noheader", f"--nodes={node}", "--partition=gpu", "--format=%T").strip()


def _start_munge() -> None:
    files = [f"--{what}-file={FOLDER}/munge.{what}" for what in ("key", "log", "pid", "seed")]
    daemons.start("munged", "--foreground", "--num-threads=4", f"--socket={FOLDER}/munge.socket", *files)
    daemons.wait((FOLDER / "munge.socket").exists, "munged")


def _start_database() -> None:
    private = ["--no-defaults", "--user=root", f"--datadir={FOLDER}/database"]
    daemons.run("mariadb-install-db", *private, "--auth-root-authentication-method=normal", "--skip-test-db")
    network = ["--bind-address=127.0.0.1", f"--port={DATABASE_PORT}", f"--socket={FOLDER}/database.socket"]
    daemons.start(
        "mariadbd", *private, *network, f"--init-file={FOLDER}/database.sql", "--innodb-lock-wait-timeout=900"
    )
    daemons.wait(lambda: daemons.listens(DATABASE_PORT), "mariadbd")


def _on(node: str) -> list[str]:
    return ["nsenter", f"--mount=/proc/{daemons.running(node)}/ns/mnt"]


def main() -> None:
    """Run one of the functions above from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("up").add_argument("--no-accounting", action="store_true")
    for action in (down, start_controller, stop_controller, start_dbd, stop_dbd):
        actions.add_parser(action.__name__.replace("_", "-"))
    for action in (start_node, kill_node):
        actions.add_parser(action.__name__.replace("_", "-")).add_argument("node", choices=NODES)
    chosen = vars(parser.parse_args())
    action = chosen.pop("action").replace("-", "_")
    if action == "up":
        up(accounting=not chosen["no_accounting"])
    else:
        globals()[action](**chosen)


if __name__ == "__main__":
    main()
