"""Coverage-guided fuzzing of the codecs: ``make fuzz``, or ``python -m tests.fuzz --seconds 60 --codec cbor``.

A payload that walks a way through ``devices/codecs`` that none has walked before is kept and mutated further. What
breaks the contract is printed and written to ``--findings``; the exit status is then 1.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from devices.codecs import codec as home
from devices.codecs.registry import NAMES
from devices.topics import UpChannel
from tests.devices.codec_samples import samples
from tests.fuzz.contract import check
from tests.fuzz.mutation import Mutator

FOLDER = str(Path(home.__file__).parent)
SLOW_SECONDS = 1.0
KEPT_BYTES = 2_048
"""Longer payloads are tried, but not mutated further: they cost time and show nothing new."""


class Coverage:
    """Which line followed which inside the codecs."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self._walked: set[int] = set()

    def start(self) -> None:
        """Watch one execution."""
        self._walked = set()
        sys.settrace(self._call)

    def stop(self) -> bool:
        """Whether it went a new way."""
        sys.settrace(None)
        fresh = self._walked - self.seen
        self.seen |= fresh
        return bool(fresh)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(FOLDER):
            return None
        walked, previous = self._walked, 0

        def line(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal previous
            if event == "line":
                walked.add(hash((code, previous, frame.f_lineno)))
                previous = frame.f_lineno
            return line

        return line


def say(line: str) -> None:
    """To whoever waits at the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fuzz(name: str, seconds: float, least: int, seed: int, findings: Path | None) -> int:
    """Fuzz one codec; how many findings."""
    coverage, outcomes, found = Coverage(), Counter[str](), 0
    mutator = Mutator(name, [sample.payload for sample in samples(name)], Random(seed))  # noqa: S311  draws payloads, guards nothing
    channels = list(UpChannel)
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until or done < least:
        payload, channel = mutator.draw(), channels[done % len(channels)]
        done += 1
        began = time.perf_counter()
        coverage.start()
        problem: BaseException | None = None
        try:
            outcomes[check(name, channel, payload)] += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  whatever escapes is what we look for, a panic of Rust too
            problem = error
        is_new = coverage.stop()
        if problem is None and time.perf_counter() - began > SLOW_SECONDS:
            problem = TimeoutError("slow")
        if problem is not None:
            found += 1
            say(f"FINDING {name} {channel} {type(problem).__name__}: {problem} {payload[:200]!r}")
            if findings is not None:
                findings.mkdir(parents=True, exist_ok=True)
                (findings / f"{name}-{channel}-{found}").write_bytes(payload)
        elif is_new and len(payload) <= KEPT_BYTES:
            mutator.corpus.append(payload)
    say(f"{name}: {done} executions, {found} findings, {len(coverage.seen)} ways, corpus {len(mutator.corpus)}")
    say("   " + ", ".join(f"{code} {count}" for code, count in outcomes.most_common()))
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", choices=NAMES, action="append")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--least", type=int, default=0, help="executions at least")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--findings", type=Path)
    options = parser.parse_args()
    found = [
        fuzz(name, options.seconds, options.least, options.seed, options.findings)
        for name in options.codec or NAMES
    ]
    return 1 if any(found) else 0


if __name__ == "__main__":
    sys.exit(main())
