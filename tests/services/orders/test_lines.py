"""What several items of one visit need together, and what they cost."""

from services.catalogue.pricing import PriceContext
from services.catalogue.service import seed_items
from services.orders.lines import OrderLine, checklist_of, demand_of, price_of

ITEMS = {item.code: item for item in seed_items()}


def line(number: int, code: str, quantity: int = 1) -> OrderLine:
    item = ITEMS[code]
    return OrderLine(line_no=number, item=item, quantity=quantity, minutes=item.duration_minutes)


def test_several_items_need_what_any_of_them_needs_and_take_all_their_time() -> None:
    lines = [line(1, "bathing_disabled"), line(2, "wound_dressing")]
    demand = demand_of(lines)
    assert demand.minutes == sum(one.item.duration_minutes for one in lines)
    assert demand.caregivers == 2
    assert demand.skills == {"bathing", "nursing"}
    assert demand.licences == {"elderly_care_worker", "nurse_licence", "nurse_title"}
    assert demand.practice_years == 5


def test_a_task_of_two_items_is_done_once() -> None:
    codes = [task.code for task in checklist_of([line(1, "blood_sampling"), line(2, "injection")])]
    assert len(codes) == len(set(codes))
    assert set(codes) == {task.code for code in ("blood_sampling", "injection") for task in ITEMS[code].checklist}


def test_every_price_line_names_its_item_and_they_add_up() -> None:
    price = price_of([line(1, "meal_delivery", 3), line(2, "acupuncture")], PriceContext())
    assert [one.item_line for one in price.lines] == [1, 2, 2]
    assert price.total_fen == sum(one.amount_fen for one in price.lines) > 0
    assert price.verified is False
