"""An HTTP/1.1 client that costs little: raw sockets, keep-alive, answers with a Content-Length."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEADER_END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(slots=True)
class Tally:
    """What a run of requests came to."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests answered as expected, a second."""
        return len(self.times) / self.seconds


def request(method: str, path: str, headers: Sequence[str] = (), body: bytes = b"") -> bytes:
    """One request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def hammer(
    base: str, clients: int, seconds: float, make: Callable[[], bytes], expected: bytes = b" 200 "
) -> Tally:
    """So many connections send one request after another for so long; `make` gives each request."""
    address = urlsplit(base)
    tally = Tally()
    end = time.perf_counter() + seconds
    began = time.perf_counter()
    await asyncio.gather(
        *(_one(str(address.hostname), address.port or 80, end, make, expected, tally) for _ in range(clients))
    )
    tally.seconds = time.perf_counter() - began
    return tally


async def _one(host: str, port: int, end: float, make: Callable[[], bytes], expected: bytes, tally: Tally) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while time.perf_counter() < end:
            began = time.perf_counter()
            writer.write(make())
            head = await reader.readuntil(HEADER_END)
            body = await reader.readexactly(_length(head))
            if expected in head[:16]:
                tally.times.append(time.perf_counter() - began)
            else:
                tally.wrong.append(head[:16] + body[:200])
    finally:
        writer.close()


def _length(head: bytes) -> int:
    start = head.lower().index(LENGTH) + len(LENGTH)
    return int(head[start : head.index(b"\r", start)])
