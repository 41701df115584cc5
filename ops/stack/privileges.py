"""As whom a server runs. PostgreSQL refuses to run as root, so root hands it to somebody else."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mode = Literal["same", "drop", "namespace"]

# `nobody` is on every Linux; initdb wants a user that has a name.
LAST_CHOICE = "nobody"


@dataclass(frozen=True, slots=True)
class RunAs:
    """How ``launch.py`` changes the user before it becomes the program."""

    mode: Mode = "same"
    uid: int = 0
    gid: int = 0

    @property
    def owner(self) -> tuple[int, int]:
        """Who must own the data directory on disk."""
        return (self.uid, self.gid) if self.mode == "drop" else (os.geteuid(), os.getegid())


SAME = RunAs()


def unprivileged(*paths: Path, prefer: str) -> RunAs:
    """Whoever may run a server with these paths: ourselves, or when we are root, the user `prefer` or nobody.

    A path that other users cannot enter (such as one under ``/root``) is not opened up; the server then runs
    in a user namespace, where root looks like an ordinary user and still reaches its own files.
    """
    if os.geteuid() != 0:
        return SAME
    entry = _ordinary_user(prefer)
    mode: Mode = "drop" if all(_reachable(path, entry.pw_uid) for path in paths) else "namespace"
    return RunAs(mode, entry.pw_uid, entry.pw_gid)


def give(path: Path, owner: tuple[int, int]) -> None:
    """Hand a whole directory tree to its owner when it belongs to somebody else. Needs root to change anything."""
    if os.geteuid() != 0:
        return
    for entry in (path, *path.rglob("*")):
        information = entry.lstat()
        if (information.st_uid, information.st_gid) != owner:
            os.chown(entry, *owner, follow_symlinks=False)


def _ordinary_user(prefer: str) -> pwd.struct_passwd:
    users = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in (prefer, LAST_CHOICE):
        if name in users:
            return users[name]
    if not users:
        raise RuntimeError("servers must not run as root and this machine has no other user")
    return next(iter(users.values()))


def _reachable(path: Path, uid: int) -> bool:
    """Whether another user may walk down to `path` (access lists beyond the mode bits are not considered)."""
    for parent in path.resolve().parents:
        if not parent.exists():
            continue
        information = parent.stat()
        needed = stat.S_IXUSR if information.st_uid == uid else stat.S_IXOTH
        if not information.st_mode & needed:
            return False
    return True
