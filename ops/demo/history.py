"""A week of past care and the open orders of today and tomorrow, so that no screen is empty."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from ops.demo.areas import Town
from ops.demo.county import County
from ops.demo.flow import Pen, Rows, Worker, items
from ops.demo.ids import Seed
from ops.demo.people import RESIDENTS_PER_TOWN
from ops.demo.roster import hours_of
from ops.demo.staff import EXPIRED, Member, members
from services.core.clock import BUSINESS_ZONE
from services.identity.models import Account
from services.orders.models import Order
from services.residents.models import Resident
from services.visits.models import Visit

PAST_DAYS = 6
_MENU = {
    "meal_delivery": 28,
    "cleaning": 14,
    "companionship": 12,
    "round_visit": 12,
    "wound_dressing": 8,
    "rehabilitation": 8,
    "bathing": 8,
    "walking_aid": 6,
    "tuina": 4,
}
"""What is ordered, by weight; items for one caregiver only."""
_WORDS = {5: ("很满意", "护理员很细心", ""), 4: ("不错", ""), 3: ("来得有点晚", ""), 2: ("沟通不够耐心",)}
_GAP = timedelta(minutes=30)  # between two visits: the way


@dataclass(frozen=True, slots=True)
class Home:
    """A resident with everybody who can order for her."""

    place: int
    town: Town
    resident: Resident
    household: tuple[Account, ...]
    dispatcher: Account

    def orderer(self, dice: Random) -> Account:
        """The resident, a relative, or the dispatcher on the phone."""
        return dice.choice((*self.household, self.dispatcher))


class Diary:
    """Whose time is taken, so that the history never books anybody twice."""

    def __init__(self, workers: list[Worker]) -> None:
        self._able: dict[tuple[str, str], list[Worker]] = defaultdict(list)
        for worker in workers:
            for code in _MENU:
                if _able(worker.member, code):
                    self._able[worker.member.town.code, code].append(worker)
        self._free_from: dict[tuple[int, date], datetime] = {}
        self._usual: dict[tuple[UUID, str], int] = {}

    def take(self, home: Home, code: str, day: date, dice: Random) -> tuple[Worker, datetime] | None:
        """Somebody able, on shift and free that day, the usual person first; and when."""
        able = [w for w in self._able[home.town.code, code] if hours_of(w.member, day)]
        dice.shuffle(able)
        usual = self._usual.get((home.resident.id, code))
        able.sort(key=lambda worker: worker.number != usual)
        stay = timedelta(minutes=items()[code].duration_minutes)
        for worker in able:
            opens, closes = _bounds(worker.member, day)
            starts_at = self._free_from.get((worker.number, day), opens)
            if starts_at + stay <= closes:
                self._free_from[worker.number, day] = starts_at + stay + _GAP
                self._usual[home.resident.id, code] = worker.number
                return worker, starts_at
        return None


def history(county: County, numbers: Mapping[UUID, int], now: datetime) -> Rows:
    """Past and open orders. ``numbers`` are the caregivers' numbers, which the database has given."""
    rows = Rows()
    accounts = {account.login: account for account in county.staff.accounts}
    workers = [
        Worker(member, numbers[member.caregiver_id], accounts[member.login])
        for member in members(county.seed, county.towns, county.scale)
    ]
    diary = Diary(workers)
    today = now.astimezone(BUSINESS_ZONE).date()
    for home in homes(county, accounts):
        for order_number in range(_past_orders(county.seed, home)):
            _past(county.seed, rows, diary, home, order_number, today)
        if home.place % RESIDENTS_PER_TOWN in _OPEN:
            _open(county.seed, rows, diary, home, now)
    return rows


def homes(county: County, accounts: Mapping[str | None, Account]) -> Iterator[Home]:
    """Every resident, with the household's accounts."""
    by_id = {account.id: account for account in county.people.accounts}
    household: dict[UUID, list[Account]] = defaultdict(list)
    for relationship in county.people.relationships:
        if relationship.account_id in by_id:
            household[relationship.resident_id].append(by_id[relationship.account_id])
    for number, resident in enumerate(county.people.residents):
        town = county.towns[number % len(county.towns)]
        yield Home(
            place=number // len(county.towns),
            town=town,
            resident=resident,
            household=tuple(household[resident.id]),
            dispatcher=accounts[f"dispatcher-{town.key}"],
        )


def _able(member: Member, code: str) -> bool:
    """Skilled, licensed, and not the one who is kept free for demonstrations or works at night."""
    item, post = items()[code], member.post
    return (
        item.required_skill in post.skills
        and set(item.required_licences) <= set(post.licences)
        and post.pattern not in ("always", "night")
        and (member.town.code, member.place) != EXPIRED[:2]
    )


def _bounds(member: Member, day: date) -> tuple[datetime, datetime]:
    """Half an hour into the shift, and its end; day shifts only."""
    hours = hours_of(member, day) or (time(0), time(0))
    opens = datetime.combine(day, hours[0], BUSINESS_ZONE) + _GAP
    return opens, datetime.combine(day, hours[1], BUSINESS_ZONE)


def _past_orders(seed: Seed, home: Home) -> int:
    """None for most, up to four for the first resident of a town."""
    if home.place == 0:
        return 4
    return seed.dice("how many", home.resident.id).choices((0, 1, 2, 3), (60, 20, 12, 8))[0]


def _past(seed: Seed, rows: Rows, diary: Diary, home: Home, number: int, today: date) -> None:
    """One order of the past week, from placing to rating."""
    path = ("past", home.resident.id, number)
    dice = seed.dice(*path)
    code = dice.choices(list(_MENU), list(_MENU.values()))[0]
    day = today - timedelta(days=PAST_DAYS - number if home.place == 0 else dice.randint(1, PAST_DAYS))
    taken = diary.take(home, code, day, dice)
    if taken is None:
        return
    worker, starts_at = taken
    pen, by = Pen(seed, rows, path), home.orderer(dice)
    placed_at = starts_at - timedelta(minutes=dice.randint(180, 1_800))
    window = (starts_at - _GAP, starts_at + timedelta(minutes=items()[code].duration_minutes) + _GAP)
    order = pen.place(home.resident, home.town.centre_id, code, window, placed_at, by)
    if dice.random() < 0.06:
        pen.cancel(order, "家人已代为安排", placed_at + timedelta(minutes=40), by)
        return
    asked_at = placed_at + timedelta(minutes=dice.randint(3, 20))
    offer = pen.ask(order, worker, starts_at, asked_at, home.dispatcher)
    visit = pen.accept(order, offer, worker, asked_at + timedelta(seconds=dice.randint(20, 240)))
    _attend(pen, order, visit, worker, home, dice)


def _attend(pen: Pen, order: Order, visit: Visit, worker: Worker, home: Home, dice: Random) -> None:
    """The visit itself; one in twenty checks in too far away and is looked at afterwards, or still waits."""
    far = dice.random() < 0.05
    pen.set_out(order, visit, visit.starts_at - timedelta(minutes=dice.randint(8, 25)), worker.account)
    arrived = visit.starts_at + timedelta(minutes=dice.randint(-2, 6))
    pen.check_in(order, visit, arrived, dice.randint(600, 1_500) if far else dice.randint(3, 60), worker.account)
    left = arrived + timedelta(minutes=round(order.duration_minutes * dice.uniform(0.85, 1.05)))
    pen.check_out(order, visit, left, ["far_from_home"] if far else [], worker.account)
    if far and dice.random() < 0.5:
        pen.review(visit, "电话核实：手机定位偏差，服务属实", left + timedelta(minutes=50), home.dispatcher)
    if home.household and dice.random() < 0.6:
        score = dice.choices((5, 4, 3, 2), (60, 28, 9, 3))[0]
        pen.rate(order, score, dice.choice(_WORDS[score]), left + timedelta(minutes=70), home.household[0])


_OPEN = {2: "placed", 5: "placed", 8: "offered", 11: "assigned", 14: "placed"}
"""Which residents of a town (by place) have an open order, and how far it is."""


def _open(seed: Seed, rows: Rows, diary: Diary, home: Home, now: datetime) -> None:
    """An order for later today or tomorrow, on the board."""
    how_far = _OPEN[home.place % RESIDENTS_PER_TOWN]
    path = ("open", home.resident.id)
    dice = seed.dice(*path)
    code = dice.choices(list(_MENU), list(_MENU.values()))[0]
    placed_at = now - timedelta(minutes=dice.randint(20, 400))
    pen, by = Pen(seed, rows, path), home.orderer(dice)
    tomorrow = now.astimezone(BUSINESS_ZONE).date() + timedelta(days=1)
    taken = diary.take(home, code, tomorrow, dice) if how_far != "placed" else None
    if taken is None:
        order = pen.place(home.resident, home.town.centre_id, code, _window(now, code, dice), placed_at, by)
        order.note = dice.choice(("请带好鞋套", "老人耳背，请大声些", "到了先打电话", ""))
        return
    worker, starts_at = taken
    window = (starts_at - _GAP, starts_at + timedelta(minutes=items()[code].duration_minutes) + _GAP)
    order = pen.place(home.resident, home.town.centre_id, code, window, placed_at, by)
    if how_far == "offered":
        pen.ask(order, worker, starts_at, now, home.dispatcher)
        return
    asked_at = placed_at + timedelta(minutes=4)
    offer = pen.ask(order, worker, starts_at, asked_at, home.dispatcher)
    pen.accept(order, offer, worker, asked_at + timedelta(minutes=1))


def _window(now: datetime, code: str, dice: Random) -> tuple[datetime, datetime]:
    """Two hours of today while the day is young, else of tomorrow morning, or longer for a long service."""
    local = now.astimezone(BUSINESS_ZONE)
    start = local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=dice.randint(2, 4))
    if local.hour >= 15 or local.hour < 6:
        day = local.date() + timedelta(days=1 if local.hour >= 15 else 0)
        start = datetime.combine(day, time(dice.randint(8, 11)), BUSINESS_ZONE)
    length = max(timedelta(hours=2), timedelta(minutes=items()[code].duration_minutes) + _GAP)
    return start, start + length
