"""Who may call what: one row an operation. An operation that is not here is refused for everybody.

The rows say which roles may knock; which objects they then see is the repositories' scope (area, care
relationship) and, a second time, the database's row-level security. `tests/api/test_access.py` walks every
route × role × area and expects exactly this page.
"""

from services.core.actor import Role

R = Role

_EVERYBODY = frozenset(
    {
        R.RESIDENT,
        R.FAMILY,
        R.CAREGIVER,
        R.DISPATCHER,
        R.CENTRE_MANAGER,
        R.CLINICIAN,
        R.COUNTY_OFFICER,
        R.AUDITOR,
    }
)
_HOUSEHOLD = frozenset({R.RESIDENT, R.FAMILY})
_DESK = frozenset({R.DISPATCHER, R.CENTRE_MANAGER})
_WATCH = _DESK | {R.COUNTY_OFFICER}

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
    }
)
"""Operations without a signed-in actor."""

POLICY: dict[str, frozenset[Role]] = {
    # me
    "sign_out": _EVERYBODY,
    "get_me": _EVERYBODY,
    "list_my_access_log": _HOUSEHOLD,
    # centres and live work
    "list_centres": _EVERYBODY,
    "get_centre": _EVERYBODY,
    "get_board": _WATCH,
    "follow_live": _WATCH,
    # alerts
    "list_alerts": _WATCH | {R.CLINICIAN, R.RESIDENT, R.FAMILY},
    "get_alert": _WATCH | {R.CLINICIAN, R.RESIDENT, R.FAMILY},
    "acknowledge_alert": _WATCH,
    "respond_to_alert": _WATCH,
    "arrive_at_alert": _WATCH,
    "resolve_alert": _WATCH,
    "review_alert": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    # terminals and readings
    "list_terminals": _WATCH | {R.CLINICIAN},
    "get_terminal": _WATCH | {R.CLINICIAN},
    "list_dead_letters": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER, R.AUDITOR}),
    "get_latest_vitals": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "list_vitals": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    # ordering
    "get_catalogue": _EVERYBODY,
    "place_order": _HOUSEHOLD | _DESK | {R.CLINICIAN},
    "list_orders": _HOUSEHOLD | _WATCH | {R.CLINICIAN},
    "get_order": _HOUSEHOLD | _WATCH | {R.CLINICIAN},
    "get_order_history": _HOUSEHOLD | _WATCH | {R.CLINICIAN, R.AUDITOR},
    "cancel_order": _HOUSEHOLD | _DESK | {R.CLINICIAN},
    "get_settlement": _HOUSEHOLD | _WATCH | {R.AUDITOR},
    "rate_order": _HOUSEHOLD,
    # dispatch
    "get_suggestions": _DESK,
    "send_offers": _DESK,
    "assign_order": _DESK,
    "release_caregiver": _DESK,
    "list_offers": _DESK | {R.CAREGIVER},
    "accept_offer": frozenset({R.CAREGIVER}),
    "decline_offer": frozenset({R.CAREGIVER}),
    # visits
    "list_visits": _WATCH | {R.CAREGIVER},
    "get_visit": _WATCH | {R.CAREGIVER},
    "set_out": frozenset({R.CAREGIVER}),
    "check_in": frozenset({R.CAREGIVER}),
    "check_out": frozenset({R.CAREGIVER}),
    "review_visit": _DESK,
    # residents and who read about them
    "list_residents": _WATCH | {R.CLINICIAN},
    "get_resident": _EVERYBODY,
    "reveal_resident_number": _DESK | {R.CLINICIAN},
    "get_emergency_card": _DESK | {R.CLINICIAN},
    "list_resident_access_log": _HOUSEHOLD | {R.CENTRE_MANAGER, R.COUNTY_OFFICER, R.AUDITOR},
    "list_audited_reads": frozenset({R.COUNTY_OFFICER, R.AUDITOR}),
}
