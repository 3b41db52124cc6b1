"""Small archives of generated recordings, in UTD-MHAD's form."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import scipy.io

from skelnas.skeletons.synthetic import reader as synthetic


def recordings(actions: int = 4, trials: int = 1) -> dict[str, np.ndarray]:
    """Generated recordings under their members' names in an archive of UTD-MHAD's form: joints x 3 x frames."""
    return {
        f"a{action + 1}_s{subject}_t{trial}_skeleton.mat": synthetic.recording(action, subject, trial)
        .transpose(0, 2, 1)
        .astype(np.float32)
        for action in range(actions)
        for subject in range(1, synthetic.SUBJECTS + 1)
        for trial in range(1, trials + 1)
    }


def pack(path: Path, members: dict[str, np.ndarray | bytes]) -> Path:
    """Write an archive of UTD-MHAD's form, the same bytes for the same members; arrays become MATLAB files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    actions = {int(match[1]) for name in members if (match := re.match(r"a(\d+)_", name))}
    with zipfile.ZipFile(path, "w") as archive:
        contents = {"class_names.txt": "".join(f"action {action}\n" for action in sorted(actions)).encode(), **members}
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content if isinstance(content, bytes) else mat(content))
    return path


def mat(skeleton: np.ndarray) -> bytes:
    """A MATLAB 5 file with the variable `d_skel` and without the date that scipy puts into its header."""
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"d_skel": skeleton})
    return synthetic.MAT_HEADER + stream.getvalue()[len(synthetic.MAT_HEADER) :]
