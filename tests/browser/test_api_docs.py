"""The two browsers of the API's description: complete, and with nothing fetched from elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.portal import Portal

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("address", "shown"), [("/api/docs/", "#operations-tag-predictions"), ("/api/docs/redoc/", "h1")]
)
def test_the_api_is_described_without_another_host(browser: Browser, portal: Portal, address: str, shown: str) -> None:
    page = browser.new_page(base_url=portal.address)
    answered: list[str] = []
    page.on("response", lambda response: answered.append(response.url))
    # ReDoc's logo stands at its maker's; the policy keeps the browser from asking for it.
    page.on("requestfinished", lambda request: answered.append(request.url))
    page.goto(address)
    expect(page.locator(shown).first).to_be_visible()
    expect(page.get_by_text("/predict/").first).to_be_visible()
    hosts = {urlsplit(url).netloc for url in answered if url.startswith("http")}
    assert hosts == {urlsplit(portal.address).netloc}
    page.close()
