"""Where programs keep their caches in jobs: in the folder of results, which every node can write, and not below HOME.

Snakemake, Matplotlib, Numba and Triton each have a folder there, and what passed the kernels' self-check is remembered
there. On NFS, where two machines that compile the same kernel at the same time meet half-written files, each job has
its own for Numba and Triton, and removes it at its end.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

CHECKED = "SKELNAS_CHECKED"  # the folder where passed self-checks are remembered
SHARED = {"XDG_CACHE_HOME": "", "MPLCONFIGDIR": "matplotlib", CHECKED: "checked"}
COMPILED = {"NUMBA_CACHE_DIR": "numba", "TRITON_CACHE_DIR": "triton"}
OWN = "SKELNAS_JOB_CACHE"  # the folder that a job removes at its end


def cache_variables(
    results: Path, environment: Mapping[str, str], mounts: Iterable[str] | None = None
) -> dict[str, str]:
    """The variables to set; what a person has set to another place stays. `mounts`: lines of /proc/self/mounts."""
    base = (results / ".cache").absolute()
    job = environment.get("SLURM_JOB_ID", "")
    own = base / f"job-{job}" if job and on_nfs(base, mounts) else None
    wanted = {name: base / folder for name, folder in SHARED.items()}
    wanted |= {name: (own or base) / folder for name, folder in COMPILED.items()}
    if own:
        wanted[OWN] = own
    present = {name: environment.get(name, "") for name in wanted}
    return {name: str(path) for name, path in wanted.items() if not present[name] or _below(present[name], base)}


def remove_own(environment: Mapping[str, str]) -> None:
    """Remove the caches that this job has for itself, if any."""
    if folder := environment.get(OWN):
        shutil.rmtree(folder, ignore_errors=True)


def on_nfs(path: Path, mounts: Iterable[str] | None = None) -> bool:
    """Whether `path` lies or will lie on NFS."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return False
    rows = [line.split(" ") for line in mounts if line.count(" ") >= 2]
    found = [(row[1], row[2]) for row in rows if _below(str(path), Path(row[1]))]
    return bool(found) and max(found, key=lambda row: len(row[0]))[1].startswith("nfs")


def _below(path: str, folder: Path) -> bool:
    return Path(path).absolute().is_relative_to(folder)
