"""Where the compiled kernel is kept on disk."""

import hashlib
import os
import tempfile
from pathlib import Path


def cache_folder(root: Path | None = None) -> Path:
    """A folder that can be written to, of this version of the kernel: in the user's cache, else under ``root``.

    ``NUMBA_CACHE_DIR`` in the environment wins. Numba notices a change in the outermost function's file only, so
    the folder's name covers all of them.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    places = [Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "guoyuan"]
    if root is not None:
        places.append(root)
    places.append(Path(tempfile.gettempdir()) / f"guoyuan-{os.getuid()}")
    for place in places:
        folder = place.resolve() / "numba" / digest.hexdigest()[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise OSError("no folder can be written to for the compiled kernel")


def is_compiled(folder: Path) -> bool:
    """Whether a kernel was compiled into the folder to the end."""
    return (folder / "complete").exists()
