"""Cursors and page sizes that nobody gave out are refused."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("query", ["cursor=cD1hYmM=", "cursor=x", "page_size=0", "page_size=x", "page_size=1e9"])
def test_a_list_refuses_what_it_did_not_give_out(client, owner, query: str) -> None:
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/api/v1/projects/?{query}")
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]
