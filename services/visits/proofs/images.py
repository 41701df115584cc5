"""What kind of picture some bytes are, and the same picture without its metadata. Pure.

A phone writes where and when a photo was taken into it (EXIF with GPS, XMP). That would tell a resident's home to
whoever gets the file, so it is stripped: place and time of a visit stand in its own evidence.
"""

from typing import Final

from services.core.errors import DomainError

MAX_BYTES: Final = 2_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"}
)
_WEBP_METADATA: Final = frozenset({b"EXIF", b"XMP "})
_WEBP_METADATA_BITS = 0x08 | 0x04
_ADOBE = 0xEE
_JFIF = 0xE0


class NotAPicture(DomainError):
    """Told by its content, whatever it is called."""

    status = 422
    code = "not_a_picture"
    title_zh = "只接受完整的 JPEG、PNG 或 WebP 图片"
    title_en = "Only whole JPEG, PNG or WebP pictures are taken"


class PictureTooLarge(DomainError):
    status = 413
    code = "picture_too_large"
    title_zh = "图片不能超过 2 MB"
    title_en = "A picture has at most 2 MB"


def clean(content: bytes) -> tuple[str, bytes]:
    """Media type and the picture without metadata. Raises ``PictureTooLarge``, ``NotAPicture``."""
    if len(content) > MAX_BYTES:
        raise PictureTooLarge(limit=MAX_BYTES)
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return "image/jpeg", _jpeg(content)
        if content.startswith(_PNG):
            return "image/png", _png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return "image/webp", _webp(content)
    except (IndexError, ValueError):
        raise NotAPicture from None
    raise NotAPicture


def _take(content: bytes, start: int, length: int) -> bytes:
    """Exactly so many bytes; ``ValueError`` when the file ends before."""
    part = content[start : start + length]
    if len(part) != length:
        raise ValueError
    return part


def _jpeg(content: bytes) -> bytes:
    """Without APP1 … APP15 (but Adobe's, which colours need), without comments, and without what follows the
    picture's end: phones hang whole other pictures there.
    """
    kept, place, seen_scan = [content[:2]], 2, False
    while True:
        if content[place] != 0xFF:
            raise ValueError
        marker = content[place + 1]
        if marker == 0xFF:  # padding
            place += 1
            continue
        if marker == 0xD9:
            if not seen_scan:
                raise ValueError
            return b"".join([*kept, b"\xff\xd9"])
        length = int.from_bytes(_take(content, place + 2, 2))
        if length < 2:
            raise ValueError
        segment = _take(content, place, 2 + length)
        place += 2 + length
        is_application = 0xE1 <= marker <= 0xEF and marker != _ADOBE
        if not is_application and marker != 0xFE:
            kept.append(_bare_jfif(segment) if marker == _JFIF else segment)
        if marker == 0xDA:
            seen_scan, end = True, _end_of_scan(content, place)
            kept.append(content[place:end])
            place = end


def _end_of_scan(content: bytes, place: int) -> int:
    """Where the next marker stands; in a scan 0xFF is followed by 0x00, or by a restart."""
    while True:
        place = content.index(b"\xff", place)
        if content[place + 1] not in (0x00, *range(0xD0, 0xD8)):
            return place
        place += 2


def _bare_jfif(segment: bytes) -> bytes:
    """Without the thumbnail, which may show what was cropped."""
    if len(segment) < 18 or segment[4:9] != b"JFIF\x00":
        return b""
    return segment[:2] + (16).to_bytes(2) + segment[4:16] + b"\x00\x00"


def _png(content: bytes) -> bytes:
    kept, place = [_PNG], len(_PNG)
    while True:
        length = int.from_bytes(_take(content, place, 4))
        kind = _take(content, place + 4, 4)
        chunk = _take(content, place, 12 + length)
        place += 12 + length
        if kind in _PNG_KEPT:
            kept.append(chunk)
        if kind == b"IEND":
            return b"".join(kept)


def _webp(content: bytes) -> bytes:
    size = int.from_bytes(_take(content, 4, 4), "little")
    body, kept, place = _take(content, 8, size), [], 4
    while place < len(body):
        kind = _take(body, place, 4)
        length = int.from_bytes(_take(body, place + 4, 4), "little")
        chunk = _take(body, place, 8 + length) + b"\x00" * (length % 2)
        place += 8 + length + length % 2
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_METADATA_BITS]) + chunk[9:]
        if kind not in _WEBP_METADATA:
            kept.append(chunk)
    if not any(chunk[:4] in (b"VP8 ", b"VP8L", b"ANMF") for chunk in kept):
        raise ValueError
    inside = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(inside).to_bytes(4, "little") + inside
