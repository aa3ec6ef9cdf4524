"""CPU kernels compiled by numba: fused loops that torch runs as many separate passes over memory."""
