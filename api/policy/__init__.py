"""Who may call what: one row an operation. An operation that is not here is refused for everybody.

The rows say which roles may knock; which objects they then see is the repositories' scope (area, care
relationship) and, a second time, the database's row-level security. `tests/api/test_access.py` walks every
route × role × area and expects exactly this page.
"""

from api.policy.alarms import ALARMS
from api.policy.money import MONEY
from api.policy.ordering import ORDERING
from api.policy.people import PEOPLE
from api.policy.roles import Rows
from api.policy.staff import STAFF

PUBLIC = frozenset(
    {
        "healthz",
        "readyz",
        "metrics",
        "get_mqtt_schema",
        "list_mqtt_schemas",
        "sign_in",
        "request_code",
        "sign_in_with_code",
        "refresh_tokens",
        "report_delivery",
        "provision_itself",
        "broker_authenticate",
        "take_callback",
        "broker_authorise",
        "take_payment_notice",
    }
)
"""Operations without a signed-in actor."""

POLICY: Rows = PEOPLE | ALARMS | ORDERING | MONEY | STAFF
