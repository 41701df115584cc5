"""Resident identity numbers and phone numbers. Pure.

Source: GB 11643-1999 (公民身份号码): six digits of area, eight of birth, three of sequence (an odd last one
is a man's), one check character by ISO 7064 MOD 11-2. Mobile numbers: ``1[3-9]`` and nine digits. Rural
elders may have only a landline or a child's phone, so a phone number identifies nobody.
"""

import re
from dataclasses import dataclass
from datetime import date

from services.residents.models import Gender

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[1-9][0-9]{1,2}-?[2-9][0-9]{6,7}")
_SEPARATORS = re.compile(r"[\s\-()\uFF08\uFF09.\u200B]+")
_NARROW = {0xFF10 + digit: str(digit) for digit in range(10)} | {0xFF0B: "+", 0xFF38: "X", 0xFF58: "x"}
"""Full-width characters, as Chinese input methods write them."""


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A number that is well formed, with what it says."""

    number: str
    area_code: str
    birth_date: date
    gender: Gender


def check_character(first_17: str) -> str:
    """The 18th character that belongs to the first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def parse_identity_number(text: str, today: date) -> IdentityNumber | None:
    """Read an 18-character number; ``None`` when its shape, birthday or check character is wrong.

    The area is where the number was first issued: it says nothing about where the person lives.
    """
    number = re.sub(r"\s", "", text.translate(_NARROW)).upper()
    if not _SHAPE.fullmatch(number) or check_character(number[:17]) != number[17]:
        return None
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    if not date(1900, 1, 1) <= born <= today:
        return None
    gender = Gender.MALE if int(number[16]) % 2 else Gender.FEMALE
    return IdentityNumber(number, number[:6], born, gender)


def normalise_phone(text: str) -> str | None:
    """A mobile number as eleven bare digits, without +86; ``None`` for anything else."""
    bare = _SEPARATORS.sub("", text.translate(_NARROW))
    for prefix in ("+86", "0086", "86"):
        if bare.startswith(prefix) and len(bare) == len(prefix) + 11:
            bare = bare[len(prefix) :]
            break
    return bare if _MOBILE.fullmatch(bare) else None


def normalise_contact_phone(text: str) -> str | None:
    """A mobile number, or a landline with its area code (``0731-84010000`` → ``073184010000``)."""
    mobile = normalise_phone(text)
    if mobile is not None:
        return mobile
    bare = re.sub(r"[\s()\uFF08\uFF09]", "", text.translate(_NARROW))
    return bare.replace("-", "") if _LANDLINE.fullmatch(bare) else None


def age_on(birth_date: date, day: date) -> int:
    """Full years of age on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
