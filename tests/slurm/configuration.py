"""The configuration files of the throw-away cluster, and the links in /etc/slurm by which SLURM finds them."""

import os
import secrets
import stat
from pathlib import Path

# Clusters that run side by side, one for each worker of pytest, share nothing.
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
FOLDER = Path(f"/tmp/skelnas-slurm-{NUMBER}")
ETC = Path("/etc/slurm")
LINKS = ("slurm.conf", "gres.conf", "slurmdbd.conf")
FIRST_PORT = 26800 + 20 * NUMBER
NODES = {"n1": FIRST_PORT + 11, "n2": FIRST_PORT + 12}
GPUS = {"n1": 1, "n2": 2}
CONTROLLER_PORT, DBD_PORT, DATABASE_PORT = FIRST_PORT + 17, FIRST_PORT + 19, FIRST_PORT + 6

# The nodes claim more than this machine has, so that the users' profile fits without a change. Waiting times are
# shorter than SLURM's own (30 s KillWait, 300 s SlurmdTimeout, 120 s before a requeued job may start).
SLURM_CONF = """\
ClusterName=skelnas
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=30
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
SlurmdTimeout=15
KillWait=5
MailProg=/bin/true
{accounting}
{nodes}
PartitionName=gpu Nodes=ALL Default=YES PriorityTier=1 DefMemPerCPU=1000 MaxTime=INFINITE State=UP
PartitionName=scavenge Nodes=ALL PriorityTier=1 PreemptMode=CANCEL DefMemPerCPU=1000 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=ALL PriorityTier=10 PreemptMode=OFF DefMemPerCPU=1000 MaxTime=INFINITE State=UP
"""
NODE_CONF = (
    "NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=64000 Gres=gpu:{gpus}"
)
ACCOUNTING_CONF = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageTRES=gres/gpu
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoragePass={folder}/munge.socket"""
DBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd_port}
CommunicationParameters=NoInAddrAny
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm_acct_db
"""
DATABASE_SQL = """\
CREATE DATABASE IF NOT EXISTS slurm_acct_db;
CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY '{password}';
CREATE USER IF NOT EXISTS 'slurm'@'localhost' IDENTIFIED BY '{password}';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'localhost';
"""


def foreign() -> list[Path]:
    """Files in /etc/slurm that another cluster put there."""
    return [ETC / name for name in LINKS if (ETC / name).exists() and not _is_ours(ETC / name)]


def write(accounting: bool) -> None:
    """Write every file below `FOLDER` and link to them from /etc/slurm."""
    FOLDER.mkdir(mode=0o755)
    values = {
        "folder": FOLDER,
        "controller_port": CONTROLLER_PORT,
        "dbd_port": DBD_PORT,
        "database_port": DATABASE_PORT,
        "password": secrets.token_hex(16),
    }
    for node in NODES:
        (FOLDER / f"spool-{node}").mkdir()
        for number in range(GPUS[node]):
            os.mknod(FOLDER / f"gpu-{node}-{number}", 0o666 | stat.S_IFCHR, os.makedev(195, number))
    (FOLDER / "state").mkdir()
    files = {
        "slurm.conf": SLURM_CONF.format(
            accounting=ACCOUNTING_CONF.format(**values)
            if accounting
            else "AccountingStorageType=accounting_storage/none",
            nodes="\n".join(NODE_CONF.format(node=node, port=port, gpus=GPUS[node]) for node, port in NODES.items()),
            **values,
        ),
        "gres.conf": "".join(
            f"NodeName={node} Name=gpu File={FOLDER}/gpu-{node}-[0-{GPUS[node] - 1}]\n" for node in NODES
        ),
        "slurmdbd.conf": DBD_CONF.format(**values),
        "database.sql": DATABASE_SQL.format(**values),
        "munge.key": secrets.token_hex(64),
    }
    for name, text in files.items():
        path = FOLDER / name
        path.touch(mode=0o644 if name in ("slurm.conf", "gres.conf") else 0o600)
        path.write_text(text)
    ETC.mkdir(exist_ok=True)
    for name in LINKS:
        (ETC / name).symlink_to(FOLDER / name)


def remove_links() -> None:
    """Take our links out of /etc/slurm."""
    for name in LINKS:
        if _is_ours(ETC / name):
            (ETC / name).unlink()


def _is_ours(path: Path) -> bool:
    return path.is_symlink() and path.readlink().parent == FOLDER
