"""Whether the bookings of a centre keep every rule of the day, asked of the database itself."""

from datetime import timedelta
from itertools import pairwise

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.dispatch.travel import paces, travel_seconds
from tests.township import Township


async def broken_rules(town: Township) -> list[str]:
    """Every rule of the day that the bookings in the database break."""
    found = await rows_that_break(town)
    bookings = await town.rows(
        "SELECT b.caregiver_id, b.starts_at, b.ends_at, o.latitude, o.longitude, c.travel_mode"
        " FROM booking b JOIN service_order o ON o.id = b.order_id JOIN caregiver c ON c.id = b.caregiver_id"
        " WHERE b.is_active AND b.centre_id = :centre ORDER BY b.caregiver_id, b.starts_at",
        centre=town.ordering.world.here.centre.id,
    )
    for before, after in pairwise(bookings):
        if before[0] == after[0]:
            way = travel_seconds(paces()[TravelMode(after[5])], Point(*before[3:5]), Point(*after[3:5]))
            if before[2] + timedelta(seconds=way) > after[1]:
                found.append("way")
    return found


async def rows_that_break(town: Township) -> list[str]:
    """The same, as far as SQL can tell."""
    rows = await town.rows(
        """
        WITH mine AS (
            SELECT b.*, o.window_start, o.window_end, o.skills AS wanted, o.licences AS needed,
                o.caregivers_required, o.duration_minutes, c.skills AS held
            FROM booking b JOIN service_order o ON o.id = b.order_id JOIN caregiver c ON c.id = b.caregiver_id
            WHERE b.is_active AND b.centre_id = :centre)
        SELECT 'window' FROM mine WHERE starts_at < window_start OR ends_at > window_end
        UNION ALL SELECT 'duration' FROM mine WHERE ends_at - starts_at <> make_interval(mins => duration_minutes)
        UNION ALL SELECT 'skill' FROM mine WHERE NOT held @> wanted
        UNION ALL SELECT 'licence' FROM mine, unnest(needed) AS kind WHERE NOT EXISTS (SELECT FROM credential h
            WHERE h.caregiver_id = mine.caregiver_id AND h.kind = kind
                AND mine.starts_at::date BETWEEN h.valid_from AND h.valid_until)
        UNION ALL SELECT 'shift' FROM mine WHERE NOT EXISTS (SELECT FROM shift s
            WHERE s.caregiver_id = mine.caregiver_id AND s.starts_at <= mine.starts_at
                AND s.ends_at >= mine.ends_at)
        UNION ALL SELECT 'absence' FROM mine JOIN absence a ON a.caregiver_id = mine.caregiver_id
            AND a.status = 'approved' AND a.starts_at < mine.ends_at AND a.ends_at > mine.starts_at
        UNION ALL SELECT 'overlap' FROM mine m JOIN mine n ON m.caregiver_id = n.caregiver_id AND m.id < n.id
            AND m.starts_at < n.ends_at AND n.starts_at < m.ends_at
        UNION ALL SELECT 'team' FROM mine GROUP BY order_id, caregivers_required
            HAVING count(*) <> caregivers_required OR count(DISTINCT starts_at) > 1
                OR count(DISTINCT caregiver_id) < count(*)
        UNION ALL SELECT 'visit' FROM mine WHERE NOT EXISTS (SELECT FROM visit v
            WHERE v.booking_id = mine.id AND v.starts_at = mine.starts_at AND v.status <> 'cancelled')
        UNION ALL SELECT 'stray visit' FROM visit v JOIN booking b ON b.id = v.booking_id
            WHERE v.centre_id = :centre AND v.status = 'scheduled' AND NOT b.is_active
        """,
        centre=town.ordering.world.here.centre.id,
    )
    return [row[0] for row in rows]
