"""A problem and a plan as bytes between the platform and the solver's process."""

from array import array
from dataclasses import replace

import msgspec

from services.planning.problem import Options, Plan, Problem


class Job(msgspec.Struct, frozen=True):
    """What the solver is told. Travel rows go as 32-bit numbers: a large day has millions of them."""

    problem: Problem
    options: Options
    travel: dict[str, list[bytes]]


_plan = msgspec.msgpack.Decoder(Plan)
_job = msgspec.msgpack.Decoder(Job)


def pack_job(problem: Problem, options: Options) -> bytes:
    """A job as bytes."""
    travel = {profile: [array("i", row).tobytes() for row in rows] for profile, rows in problem.travel.items()}
    return msgspec.msgpack.encode(Job(replace(problem, travel={}), options, travel))


def unpack_job(data: bytes) -> tuple[Problem, Options]:
    """The job again. Raises msgspec.DecodeError for anything else."""
    job = _job.decode(data)
    travel = {profile: [array("i", row).tolist() for row in rows] for profile, rows in job.travel.items()}
    return replace(job.problem, travel=travel), job.options


def pack_plan(plan: Plan) -> bytes:
    """A plan as bytes."""
    return msgspec.msgpack.encode(plan)


def unpack_plan(data: bytes) -> Plan:
    """The plan again. Raises msgspec.DecodeError for anything else."""
    return _plan.decode(data)
