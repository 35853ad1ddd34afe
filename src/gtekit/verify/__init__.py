"""Does gtekit compute the right vectors on this machine? Two proofs that need nothing but the installed package."""

from gtekit.verify.checks import MAX_ABS_DIFF, MIN_COSINE, Check
from gtekit.verify.golden import check_golden
from gtekit.verify.kernels import check_kernels

__all__ = ["MAX_ABS_DIFF", "MIN_COSINE", "Check", "check_golden", "check_kernels"]
