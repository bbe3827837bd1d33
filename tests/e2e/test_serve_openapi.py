"""Requests made up from `/openapi.json`: none is a failure, and the answers are as described."""

import io

import numpy as np
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis import checks

from emopy.serve.documentation import OPERATIONS
from tests.serving import encoded, serving

frames = [Image.fromarray(np.full((32, 32, 3), gray, np.uint8)) for gray in (0, 255)]
stream = io.BytesIO()
frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=40)

# A real image or video among other bytes.
animation = stream.getvalue()  # an image, too
for kind, real in (
    ("image/*", encoded()),
    ("video/*", animation),
    ("application/octet-stream", animation),
):
    schemathesis.openapi.media_type(kind, st.one_of(st.just(real), st.binary(max_size=200)))


@pytest.fixture(scope="module")
def schema():
    with serving(max_bytes=1_000_000) as running:
        yield schemathesis.openapi.from_url(f"{running.url}/openapi.json")


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.missing_required_header,
]
"""Not among them: that what fits the description is accepted, since not every text is an image."""


@pytest.mark.parametrize("path", OPERATIONS)
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_requests_by_the_description_are_answered_as_described(schema, path, mode):
    extra = OPERATIONS[path]["openapi_extra"]
    if mode == "NEGATIVE" and not extra:
        return  # nothing in it can be wrong
    operation = schema[path]["POST" if extra else "GET"]
    statuses = set()

    @settings(max_examples=20, derandomize=True, database=None)
    @given(operation.as_strategy(schemathesis.GenerationMode[mode]))
    def check(case):
        response = case.call_and_validate(checks=CHECKS)
        statuses.add(response.status_code)

    check()
    assert (200 in statuses) is (mode == "POSITIVE")
