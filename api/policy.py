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
_STORES = frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER})

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
    "follow_area": frozenset({R.COUNTY_OFFICER}),
    # alerts
    "list_alerts": _WATCH | {R.CLINICIAN, R.RESIDENT, R.FAMILY},
    "get_alert": _WATCH | {R.CLINICIAN, R.RESIDENT, R.FAMILY},
    "acknowledge_alert": _WATCH,
    "respond_to_alert": _WATCH,
    "arrive_at_alert": _WATCH,
    "resolve_alert": _WATCH,
    "review_alert": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "get_alert_screen": _DESK | {R.CLINICIAN},
    "acknowledge_page": _WATCH,
    "classify_alert": _WATCH,
    "set_alert_severity": _WATCH,
    "cancel_alert": _WATCH,
    "request_handover": _WATCH,
    "accept_handover": _WATCH,
    "decline_handover": _WATCH,
    "record_emergency_call": _DESK,
    "record_call_handed_over": _DESK,
    "reveal_responder_phone": _DESK,
    # escalation
    "list_escalation_policies": _WATCH | {R.AUDITOR},
    "get_escalation_policy": _WATCH | {R.AUDITOR},
    "list_escalation_policy_versions": _WATCH | {R.AUDITOR},
    "add_escalation_policy": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "change_escalation_policy": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "end_escalation_policy": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "preview_escalation": _WATCH,
    # duty and notifications
    "get_duty": _WATCH,
    "list_duty_gaps": _WATCH,
    "list_rotas": _WATCH,
    "get_rota": _WATCH,
    "create_rota": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "change_rota": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "list_overrides": _WATCH,
    "add_override": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "cancel_override": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER}),
    "list_swaps": _WATCH,
    "request_swap": _WATCH,
    "accept_swap": _WATCH,
    "decline_swap": _WATCH,
    "withdraw_swap": _WATCH,
    "list_my_notifications": _EVERYBODY,
    "read_notification": _EVERYBODY,
    "list_notifications": _WATCH,
    "get_my_staff_phone": _EVERYBODY - _HOUSEHOLD,
    "set_my_staff_phone": _EVERYBODY - _HOUSEHOLD,
    # rules about readings
    "get_default_rules": _WATCH | {R.CLINICIAN, R.AUDITOR},
    "list_rule_versions": _WATCH | {R.CLINICIAN},
    "list_county_rules": _WATCH | {R.CLINICIAN},
    "save_county_rule": frozenset({R.COUNTY_OFFICER}),
    "list_centre_rules": _WATCH | {R.CLINICIAN},
    "save_centre_rule": frozenset({R.CENTRE_MANAGER}),
    "list_not_evaluable": _DESK | {R.CLINICIAN},
    "get_resident_rules": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "save_resident_rule": frozenset({R.CLINICIAN}),
    "preview_rule": frozenset({R.CLINICIAN, R.CENTRE_MANAGER}),
    "list_resident_attributes": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "set_resident_attribute": frozenset({R.CLINICIAN}),
    "list_maintenance": _DESK | {R.CLINICIAN},
    "start_maintenance": _DESK,
    "end_maintenance": _DESK,
    # terminals and readings
    "list_terminals": _WATCH | {R.CLINICIAN},
    "get_terminal": _WATCH | {R.CLINICIAN},
    "list_terminal_bindings": _WATCH | {R.CLINICIAN},
    "get_terminal_history": _WATCH | {R.AUDITOR},
    "register_terminal": _STORES,
    "provision_terminal": _STORES,
    "bind_terminal": _WATCH,
    "unbind_terminal": _WATCH,
    "suspend_terminal": _WATCH,
    "resume_terminal": _WATCH,
    "restock_terminal": _STORES,
    "retire_terminal": _STORES,
    "rotate_credential": _STORES,
    "revoke_credential": _WATCH,
    "list_terminal_profiles": _WATCH | {R.CLINICIAN, R.AUDITOR},
    "get_terminal_profile": _WATCH | {R.CLINICIAN, R.AUDITOR},
    "create_terminal_profile": frozenset({R.COUNTY_OFFICER}),
    "change_terminal_profile": frozenset({R.COUNTY_OFFICER}),
    "renew_provision_secret": frozenset({R.COUNTY_OFFICER}),
    "list_provision_attempts": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER, R.AUDITOR}),
    "list_faults": _WATCH,
    "assign_fault": _WATCH,
    "clear_fault": _WATCH,
    "list_overdue_tests": _WATCH,
    "order_command": _DESK,
    "list_commands": _DESK,
    "get_command": _DESK,
    "list_dead_letters": frozenset({R.CENTRE_MANAGER, R.COUNTY_OFFICER, R.AUDITOR}),
    "get_latest_vitals": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "list_vitals": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "get_vitals_chart": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "list_vitals_gaps": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "get_monthly_vitals": _DESK | _HOUSEHOLD | {R.CLINICIAN},
    "get_retention": frozenset({R.COUNTY_OFFICER, R.AUDITOR}),
    "list_retention_log": frozenset({R.COUNTY_OFFICER, R.AUDITOR}),
    # hand-overs
    "list_referrals": _DESK | {R.CLINICIAN},
    "refer_resident": _DESK | {R.CLINICIAN},
    "refer_from_alert": _DESK | {R.CLINICIAN},
    "move_referral": _DESK | {R.CLINICIAN},
    # figures
    "get_response_figures": _WATCH | {R.AUDITOR},
    "get_response_figures_csv": _WATCH | {R.AUDITOR},
    "get_false_alarms": _WATCH | {R.AUDITOR},
    "get_profile_false_alarms": _WATCH | {R.AUDITOR},
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
    "keep_key_box": _DESK,
    "get_emergency_card": _DESK | {R.CLINICIAN},
    "list_resident_access_log": _HOUSEHOLD | {R.CENTRE_MANAGER, R.COUNTY_OFFICER, R.AUDITOR},
    "list_audited_reads": frozenset({R.COUNTY_OFFICER, R.AUDITOR}),
}
