"""Runs one program so that it ends when its parent ends; a script of its own, started by ``process.py``.

``launch.py SIGNAL PARENT MODE UID GID PROGRAM [ARGUMENT …]`` replaces itself with PROGRAM, so the process id
stays. It exists instead of ``preexec_fn`` because that is unsafe beside threads. Standard library only: it
runs with ``python -I -S`` to start within milliseconds.

MODE says as whom: ``same``; ``drop`` (to UID and GID: PostgreSQL refuses to run as root); or ``namespace``
(root in a user namespace that shows it as UID: for a data directory under a path no other user may enter).
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def enter_namespace(uid: int, gid: int) -> None:
    """Become `uid` inside a new user namespace while staying the same user to the file system."""
    libc = ctypes.CDLL(None, use_errno=True)
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"user namespace refused: {os.strerror(number)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def drop(uid: int, gid: int) -> None:
    """Become `uid` for good."""
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def main() -> None:
    """Tie this process to its parent, change the user if asked, and become the program."""
    number, parent, mode, uid, gid = sys.argv[1:6]
    program = sys.argv[6:]
    if mode == "namespace":
        enter_namespace(int(uid), int(gid))
    elif mode == "drop":
        drop(int(uid), int(gid))
    # After the change of user, because the kernel forgets the wish when credentials change.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent process is gone")
    os.execvp(program[0], program)  # noqa: S606 - starting the given program is this script's purpose


if __name__ == "__main__":
    main()
