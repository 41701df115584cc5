"""Listens to a centre's live stream and notes when each alert arrives."""

import asyncio
import json
import time
from urllib.parse import urlsplit


class Stream:
    """One open ``GET …/live``. Arrival times by terminal, from the moment the line is read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, api: str, centre_id: str, token: str) -> "Stream":
        """Returns when the server has said that we follow."""
        address = urlsplit(api)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        lines = [f"GET /api/v1/centres/{centre_id}/live HTTP/1.1", f"Host: {address.netloc}"]
        writer.write("\r\n".join([*lines, f"Authorization: Bearer {token}", "", ""]).encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise ConnectionError(status.decode())
        while b": connected" not in await reader.readline():
            continue
        return cls(reader, writer)

    def expect(self, terminal_id: str) -> asyncio.Future[float]:
        """The ``perf_counter`` at which the next alert of a terminal arrives."""
        return self._waiting.setdefault(terminal_id, asyncio.get_running_loop().create_future())

    def close(self) -> None:
        """Leave."""
        self._task.cancel()
        self._writer.close()

    async def _read(self) -> None:
        # Frames lie whole in their chunks, so the chunk lines between them can be passed over.
        name = b""
        while line := await self._reader.readline():
            if line.startswith(b"event: "):
                name = line
            elif line.startswith(b"data: ") and b"alert.opened" in name:
                arrived = time.perf_counter()
                waiting = self._waiting.pop(json.loads(line[6:])["terminal_id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(arrived)
        raise ConnectionError("the stream ended")
