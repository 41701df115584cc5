"""Listens to a centre's live stream, as a dispatcher's browser does, and notes when each alert arrives."""

import asyncio
import json
import time
from urllib.parse import urlsplit

AGAIN_SECONDS = 1.0
"""What the stream itself tells a browser (``retry: 1000``)."""


class Stream:
    """One ``GET …/live``, opened again with the last id when it ends. Times are those of the line's arrival."""

    def __init__(self, api: str, centre_id: str, token: str) -> None:
        self.opened: dict[str, list[tuple[str, float]]] = {}
        """(alert, ``perf_counter``) of each ``alert.opened``, by terminal."""
        self.connections = 0
        self._address = urlsplit(api)
        self._path = f"/api/v1/centres/{centre_id}/live"
        self._token = token
        self._position: bytes | None = None
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, api: str, centre_id: str, token: str) -> "Stream":
        """Returns when the server has said that we follow. Raises ``OSError``."""
        stream = cls(api, centre_id, token)
        reader = await stream._connect()
        stream._task = asyncio.create_task(stream._follow(reader))
        return stream

    def expect(self, terminal_id: str) -> asyncio.Future[float]:
        """The ``perf_counter`` at which the next alert of a terminal arrives."""
        return self._waiting.setdefault(terminal_id, asyncio.get_running_loop().create_future())

    def close(self) -> None:
        """Leave. Raises what the following failed with."""
        if self._task is not None:
            if self._task.done():
                self._task.result()
            self._task.cancel()
        if self._writer is not None:
            self._writer.close()

    async def _connect(self) -> asyncio.StreamReader:
        if self._writer is not None:
            self._writer.close()
        reader, self._writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {self._address.netloc}"]
        if self._position is not None:
            lines.append(f"Last-Event-ID: {self._position.decode()}")
        self._writer.write("\r\n".join([*lines, f"Authorization: Bearer {self._token}", "", ""]).encode())
        status = await reader.readline()
        if b" 200 " not in status:
            if b" 4" in status[:13]:
                raise PermissionError(status.decode())
            raise ConnectionError(status.decode() or "no answer")
        while line := await reader.readline():
            if b": connected" in line:
                self.connections += 1
                return reader
        raise ConnectionError("the stream ended before it began")

    async def _follow(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                await self._read(reader)
            except ConnectionError:
                await asyncio.sleep(AGAIN_SECONDS)
            while True:
                try:
                    reader = await self._connect()
                    break
                except PermissionError:
                    raise
                except OSError:
                    await asyncio.sleep(AGAIN_SECONDS)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        # Frames lie whole in their chunks, so the chunk lines between them can be passed over.
        name = b""
        while line := await reader.readline():
            if line.startswith(b"id: "):
                position = line[4:].strip()
            elif line.startswith(b"event: "):
                name = line
            elif line.startswith(b"data: ") and line.endswith(b"\n"):
                arrived = time.perf_counter()
                self._position = position
                if b"alert.opened" in name:
                    self._take(json.loads(line[6:]), arrived)
        raise ConnectionError("the stream ended")

    def _take(self, alert: dict[str, str], arrived: float) -> None:
        terminal_id = alert["terminal_id"]
        self.opened.setdefault(terminal_id, []).append((alert["alert_id"], arrived))
        waiting = self._waiting.pop(terminal_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(arrived)
