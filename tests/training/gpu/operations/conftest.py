"""Kernels are tested in Triton's interpreter, which must be chosen before they are imported."""

import os

os.environ["TRITON_INTERPRET"] = "1"
