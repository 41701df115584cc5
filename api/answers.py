"""JSON answers that carry the ``ETag`` of the version they show."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse


class VersionedJSONResponse(JSONResponse):
    """An answer with a top-level ``version`` gets it as its ``ETag``, ready for ``If-Match``."""

    _version: int | None = None

    def render(self, content: Any) -> bytes:
        if isinstance(content, dict) and isinstance(content.get("version"), int):
            self._version = content["version"]
        return super().render(content)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        if self._version is not None and "etag" not in self.headers:
            self.headers["etag"] = f'"{self._version}"'
