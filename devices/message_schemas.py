"""The JSON Schemas of the messages, as files beside this one."""

from importlib.resources import files
from typing import Any, Final

import msgspec

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    entry.name.removesuffix(".json"): msgspec.json.decode(entry.read_bytes())
    for entry in (files("devices") / "schemas").iterdir()
    if entry.name.endswith(".json")
}
