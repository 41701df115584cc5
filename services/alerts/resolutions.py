"""What an alert was: as it is first judged, as it is closed, and what came of calling 120."""

from enum import StrEnum


class Classification(StrEnum):
    """The first judgement (t3), made before anybody is there. It closes nothing."""

    EMERGENCY = "emergency"
    NEEDS_CARE = "needs_care"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    UNCLEAR = "unclear"


class Resolution(StrEnum):
    """Reason codes; the false alarms by cause, so that they can be counted against their cause."""

    TRUE_EMERGENCY = "true_emergency"
    NEEDS_CARE = "needs_care"
    FALSE_PRESSED_BY_MISTAKE = "false_pressed_by_mistake"
    FALSE_SENSOR = "false_sensor"
    FALSE_WORN_WRONG = "false_worn_wrong"  # the terminal was put on or placed wrongly
    FALSE_DAILY_ACTIVITY = "false_daily_activity"  # a movement or a stove that was taken for more
    FALSE_LIMIT = "false_limit"  # the limit does not fit this resident
    FALSE_OTHER = "false_other"
    TEST = "test"


TAKEN_BACK = "taken_back_by_resident"
"""The resolution of a cancelled alert: the resident's own word, confirmed by a person or given in time."""


class CancelConfirmed(StrEnum):
    """How a person made sure that the resident is well and meant to take the alarm back."""

    SPOKE_WITH_RESIDENT = "spoke_with_resident"
    SPOKE_WITH_COMPANION = "spoke_with_companion"
    SEEN_IN_PERSON = "seen_in_person"


class CallOutcome(StrEnum):
    """What the emergency service answered."""

    AMBULANCE_SENT = "ambulance_sent"
    ADVICE_GIVEN = "advice_given"
    NOT_REACHED = "not_reached"
    CALLED_OFF = "called_off"
