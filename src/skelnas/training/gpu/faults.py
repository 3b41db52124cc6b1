"""What an error on a GPU means: too little memory, a process that has lost its GPU, or a fault of the work itself."""

import torch

WORDS = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error is about memory, or hides one that is.

    What fails inside a capture comes out as the end of the capture failing; the cause is then its context.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, torch.OutOfMemoryError):
            return True
        if isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_lost(device: torch.device) -> bool:
    """Whether an error has left this process without its GPU."""
    try:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except RuntimeError:
        return True
    return False
