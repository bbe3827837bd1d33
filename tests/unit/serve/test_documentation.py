import re

import pytest

from emopy import FERModel
from emopy.serve import ServeSettings, create_app
from emopy.serve.documentation import OPERATIONS, PROBES
from emopy.serve.query import OPTIONS
from emopy.serve.settings import digests
from emopy.serve.streams import VIDEO_QUERY


@pytest.fixture(scope="module")
def described():
    model = FERModel(model="emopy-tiny", detector="full-image")
    return create_app(lambda: model, ServeSettings(max_bytes=99)).openapi()


def test_each_path_is_described(described):
    assert set(described["paths"]) == set(OPERATIONS)
    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"].endswith(".")
            for status, response in operation["responses"].items():
                assert response["description"].endswith("."), status


@pytest.mark.parametrize(
    "path, names",
    [
        ("/v1/predict", {*OPTIONS, "boxes", "draw"}),
        ("/v1/explain", {*OPTIONS, "emotion", "method"}),
        ("/v1/video", {*OPTIONS, *VIDEO_QUERY}),
        ("/analyze", set()),
    ],
)
def test_the_names_of_the_query_are_those_that_are_read(described, path, names):
    parameters = described["paths"][path]["post"].get("parameters", [])
    assert {each["name"] for each in parameters} == names


def test_errors_are_problem_details(described):
    for methods in described["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if re.match("4|504", status):
                    assert [*response["content"]] == ["application/problem+json"]


def test_only_paths_that_need_a_key_list_its_error(described):
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert ("401" in operation["responses"]) is (path not in PROBES)
            assert {"400", "403", "421", "431", "500"} <= operation["responses"].keys()


def test_keys_are_described_only_where_there_are_some(described):
    assert "security" not in described
    model = FERModel(model="emopy-tiny", detector="full-image")
    settings = ServeSettings(key_digests=digests(["0123456789abcdef"]))
    assert create_app(lambda: model, settings).openapi()["security"]
