"""One request, repeated where that is safe: waiting longer each time, or as long as the portal asks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from ops_portal_client.errors import ApiError, Unreachable

#: The portal says with these that it did nothing yet and may be asked again.
NOT_DONE = frozenset({429, 503})
LONGEST_WAIT = 60.0


class Transport:
    """Sends requests of one token.

    Parameters
    ----------
    base_url
        Address of the portal.
    token
        A project token.
    timeout
        Seconds to wait for an answer.
    retries
        How often a request is repeated before giving up.
    backoff
        Seconds before the first repetition; doubled each time, with a random share so that many clients do not come
        back at once.
    sleep
        What waits; a test's own, for instance.
    transport
        httpx's transport, where another than the network's is wanted.

    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = 30.0,
        retries: int = 5,
        backoff: float = 0.2,
        sleep: Callable[[float], object] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retries = retries
        self._backoff = backoff
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "ops-portal-client/0.1"},
            timeout=timeout,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        safe: bool,
        accept: frozenset[int] = frozenset(),
        **options: Any,
    ) -> Mapping[str, Any]:
        """Return the decoded answer.

        Parameters
        ----------
        method, path
            What is asked.
        safe
            Whether the request may be sent again although the first one may have been carried out. If not, it is
            sent again only where the portal surely did not do it.
        accept
            Statuses that are no error although they are not 2xx.
        options
            As for `httpx.Client.request`.

        Raises
        ------
        ApiError
            The portal refused.
        Unreachable
            It did not answer.

        """
        attempt = 0
        while True:
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if attempt >= self._retries or not (safe or never_sent):
                    raise Unreachable(f"The portal did not answer: {error or type(error).__name__}.") from error
                wait = self._wait(attempt, None)
            else:
                again = answer.status_code in NOT_DONE or (safe and answer.status_code >= 500)
                if not again or attempt >= self._retries:
                    return _read(answer, accept)
                wait = self._wait(attempt, answer.headers.get("Retry-After"))
            self._sleep(wait)
            attempt += 1

    def _wait(self, attempt: int, asked: str | None) -> float:
        if asked and asked.isdigit():
            return min(float(asked), LONGEST_WAIT)
        share = random.uniform(1, 1.5)  # noqa: S311 - no secret
        return min(self._backoff * float(2**attempt) * share, LONGEST_WAIT)


def _read(answer: httpx.Response, accept: frozenset[int]) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if answer.is_success or answer.status_code in accept:
        return body if isinstance(body, dict) else {}
    error = body.get("error", {}) if isinstance(body, dict) else {}
    message = error.get("message") or f"The portal answered {answer.status_code} {answer.reason_phrase}."
    raise ApiError(answer.status_code, error.get("code", "error"), message, error.get("fields"))
