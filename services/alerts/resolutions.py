"""Why an alert was closed."""

from enum import StrEnum


class Resolution(StrEnum):
    """Reason codes; the false alarms by cause, so that they can be counted against their cause."""

    TRUE_EMERGENCY = "true_emergency"
    NEEDS_CARE = "needs_care"
    FALSE_PRESSED_BY_MISTAKE = "false_pressed_by_mistake"
    FALSE_SENSOR = "false_sensor"
    FALSE_OTHER = "false_other"
    TEST = "test"
