"""The decorator of the kernel. Compiled code is kept on disk, in a folder that changes when the kernel does."""

import os
from collections.abc import Callable
from typing import TypeVar, cast

from services.planning.kernel.folder import cache_folder

Function = TypeVar("Function", bound=Callable[..., object])

os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

import numba  # noqa: E402  it reads its cache folder when it is imported


def compiled(function: Function) -> Function:
    """Compile, keep on disk, and let other threads run meanwhile."""
    return cast("Function", numba.njit(cache=True, nogil=True)(function))
