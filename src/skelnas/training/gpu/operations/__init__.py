"""The operations of a stacked network: reference in PyTorch, Triton kernels, and the check of one against the other."""
