"""The figures that `benchmarks` reads off the page of `emopy web`."""

from pathlib import Path

import pytest

from benchmarks.web_page import WebPageTab
from benchmarks.web_site import Site

DIST = Path(__file__).parents[2] / "web" / "dist"
SLOW_IMAGES = """
const usual = globalThis.createImageBitmap;
globalThis.createImageBitmap = async (...given) => {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return usual(...given);
};
"""


@pytest.mark.usefixtures("node")
def test_the_first_answer_counts_until_faces_are_shown(browser):
    with Site({"package": DIST}) as served, browser.new_context() as context:
        context.add_init_script(SLOW_IMAGES)
        page = WebPageTab(context, served)
        assert page.answer_again_s() > 1
        assert page.tab.locator("#faces .name").count() == 1
