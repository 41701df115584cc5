"""The signed-in person, centres, residents, consents, assessments, who read what."""

from api.policy.roles import DESK, EVERYBODY, HOUSEHOLD, WATCH, Rows
from services.core.actor import Role

R = Role

PEOPLE: Rows = {
    # me
    "sign_out": EVERYBODY,
    "get_me": EVERYBODY,
    "list_my_access_log": HOUSEHOLD,
    # centres and live work
    "list_centres": EVERYBODY,
    "get_centre": EVERYBODY,
    "get_board": WATCH,
    "follow_live": WATCH,
    "follow_area": frozenset({R.COUNTY_OFFICER}),
    # consents and assessments
    "list_consent_texts": EVERYBODY,
    "list_consents": HOUSEHOLD | DESK | {R.CLINICIAN, R.CAREGIVER},
    "give_consent": HOUSEHOLD | DESK | {R.CLINICIAN, R.CAREGIVER},
    "revoke_consent": HOUSEHOLD | DESK | {R.CLINICIAN, R.CAREGIVER},
    "get_assessment_standards": EVERYBODY,
    "list_ability_assessments": HOUSEHOLD | DESK | {R.CLINICIAN},
    "record_ability_assessment": frozenset({R.CENTRE_MANAGER, R.CLINICIAN}),
    "withdraw_ability_assessment": frozenset({R.CENTRE_MANAGER, R.CLINICIAN}),
    "list_self_care_ratings": HOUSEHOLD | DESK | {R.CLINICIAN},
    "record_self_care_rating": frozenset({R.RESIDENT, R.CENTRE_MANAGER, R.CLINICIAN}),
    "list_first_assessments": HOUSEHOLD | DESK | {R.CLINICIAN},
    "record_first_assessment": frozenset({R.CENTRE_MANAGER, R.CLINICIAN}),
    "withdraw_first_assessment": frozenset({R.CENTRE_MANAGER, R.CLINICIAN}),
    "place_order": HOUSEHOLD | DESK | {R.CLINICIAN},
    "list_orders": HOUSEHOLD | WATCH | {R.CLINICIAN},
    "get_order": HOUSEHOLD | WATCH | {R.CLINICIAN},
    "get_order_history": HOUSEHOLD | WATCH | {R.CLINICIAN, R.AUDITOR},
    "list_order_changes": HOUSEHOLD | WATCH | {R.CLINICIAN, R.AUDITOR},
    "reschedule_order": HOUSEHOLD | DESK | {R.CLINICIAN},
    "change_order_wishes": HOUSEHOLD | DESK | {R.CLINICIAN},
    "ask_price": HOUSEHOLD | DESK | {R.CLINICIAN},
    "list_quotes": HOUSEHOLD | WATCH | {R.CLINICIAN},
    "get_quote": HOUSEHOLD | WATCH | {R.CLINICIAN},
    # residents and who read about them
    "list_residents": WATCH | {R.CLINICIAN},
    "get_resident": EVERYBODY,
    "reveal_resident_number": DESK | {R.CLINICIAN},
    "keep_key_box": DESK,
    "get_emergency_card": DESK | {R.CLINICIAN},
    "list_resident_access_log": HOUSEHOLD | {R.CENTRE_MANAGER, R.COUNTY_OFFICER, R.AUDITOR},
    "list_audited_reads": frozenset({R.COUNTY_OFFICER, R.AUDITOR}),
}
