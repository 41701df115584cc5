"""What the benchmarks compute and write; the measuring itself is `make bench`."""

import asyncio
from pathlib import Path

import pytest

from bench.client import hammer, request
from bench.figures import percentile, ratio, thousands
from bench.report import Section, write


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([1.0], 0.99, 1.0), ([3.0, 1.0, 2.0], 0.5, 2.0), ([*map(float, range(1, 101))], 0.99, 99.0)],
)
def test_percentiles_are_values_that_were_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_numbers_are_written_for_people() -> None:
    assert thousands(12345.6) == "12 346"
    assert ratio(3, 4) == "0.75"


def test_a_new_run_replaces_its_own_section_only(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "performance.md"

    def measured(key: str, figure: str) -> None:
        write(Section(key, f"Title {key}", "How.", ["way", "speed"], [["ours", figure]]), ["a machine"], page)

    measured("one", "1")
    measured("two", "2")
    measured("one", "3")
    text = page.read_text("utf-8")
    assert "| ours | 1 |" not in text
    assert text.index("| ours | 3 |") < text.index("| ours | 2 |")
    assert text.count("## Title one") == 1


async def test_the_client_counts_what_is_answered_as_expected() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    good = await hammer(f"http://127.0.0.1:{port}", 2, 0.1, lambda: request("GET", "/"))
    bad = await hammer(f"http://127.0.0.1:{port}", 1, 0.05, lambda: request("GET", "/"), b" 201 ")
    server.close()
    assert good.times
    assert not good.wrong
    assert not bad.times
    assert bad.wrong
