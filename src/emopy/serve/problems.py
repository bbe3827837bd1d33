"""Errors of the service as problem details.

Source: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

CONTENT_TYPE = "application/problem+json"


class ProblemDetails(Exception):  # noqa: N818  the standard's word
    """A request that is refused, or failed.

    Args:
        status: HTTP status.
        detail: What is wrong and what to do instead, for people.
        headers: More headers of the response.
        more: More members of the problem details.
        failed_inputs: Images and videos that could not be read, for the metrics.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
        failed_inputs: int = 0,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        self.failed_inputs = failed_inputs

    def to_response(self) -> Response:
        """Return the problem as a response."""
        return Response(
            json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False),
            self.status,
            self.headers,
            CONTENT_TYPE,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return ``type``, ``title``, ``status`` and ``detail``, and what else there is."""
        title = HTTPStatus(self.status).phrase
        problem = {"type": "about:blank", "title": title, "status": self.status}
        return {**problem, "detail": self.detail, **self.more}


def busy(wait_s: float) -> ProblemDetails:
    """Return the problem of a service that has no free place.

    Args:
        wait_s: Time in seconds after which to try again.
    """
    seconds = max(1, round(wait_s))
    return ProblemDetails(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"The service has no free place now. Try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )
