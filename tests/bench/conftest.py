"""The scripts of bench/ import each other as modules; the tests import them the same way."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))
