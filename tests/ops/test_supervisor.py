"""When a dead process is started again, and when it is given up: with a clock of our own and no real process."""

from pathlib import Path

from ops.stack.process import Part
from ops.stack.supervisor import DEATHS_BEFORE_GIVING_UP, STABLE_SECONDS, Supervisor


class Puppet(Part):
    """A process that dies when told to."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__("puppet", tmp_path / "puppet.log")
        self.code: int | None = None
        self.starts = 0
        self.broken = False

    def argv(self) -> list[str]:
        return []

    def spawn(self) -> None:
        self.starts += 1
        if self.broken:
            raise OSError("no such program")
        self.code = None

    def poll(self) -> int | None:
        return self.code


class Stage:
    """A supervisor, its clock and what it said."""

    def __init__(self, puppet: Puppet, *, may_finish: bool = False) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.supervisor = Supervisor(self.said.append, lambda: self.now)
        self.supervisor.watch(puppet, may_finish=may_finish)

    def pause_until_started(self, puppet: Puppet) -> float:
        began, starts = self.now, puppet.starts
        while puppet.starts == starts:
            self.supervisor.tick()
            self.now += 0.1
            assert self.now - began < 60
        return round(self.now - began, 1)


def test_the_pause_doubles_and_a_stable_process_begins_anew(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path)
    stage = Stage(puppet)
    pauses = []
    for _ in range(3):
        puppet.code = 1
        pauses.append(stage.pause_until_started(puppet))
    assert pauses == sorted(pauses)
    assert pauses[2] > 2 * pauses[0]
    stage.now += STABLE_SECONDS
    puppet.code = 1
    assert stage.pause_until_started(puppet) <= pauses[0]
    assert not stage.supervisor.failed


def test_what_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path)
    puppet.log.write_text("my last words\n")
    stage = Stage(puppet)
    while not stage.supervisor.failed:
        puppet.code = 1
        stage.supervisor.tick()
        stage.now += 0.1
        assert stage.now < STABLE_SECONDS
    assert puppet.starts == DEATHS_BEFORE_GIVING_UP - 1
    assert "my last words" in stage.said[-1]
    stage.now += 1000
    assert not stage.supervisor.tick()
    assert stage.supervisor.records()[0].state == "failed"


def test_a_start_that_fails_counts_as_a_death(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path)
    stage = Stage(puppet)
    puppet.code, puppet.broken = 1, True
    while not stage.supervisor.failed:
        stage.supervisor.tick()
        stage.now += 0.1
        assert stage.now < STABLE_SECONDS
    assert any("no such program" in line for line in stage.said)


def test_one_that_may_finish_is_left_when_it_ends_well(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path)
    stage = Stage(puppet, may_finish=True)
    puppet.code = 0
    stage.supervisor.tick()
    stage.now += 60
    assert not stage.supervisor.tick()
    assert puppet.starts == 0
    assert not stage.supervisor.failed
