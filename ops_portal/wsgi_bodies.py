"""The body of a request as the WSGI server gives it: read to its stated end, and never left half read."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Protocol

Environ = dict[str, Any]

PIECE = 2**16
#: What is left of a body that an answer did not need is read up to this: a server would close the connection otherwise.
DRAINED = 2**20
#: A body that does not say how long it is is read whole up to this; those of forms and of most calls are far smaller.
WHOLE = 2 * 2**20


class Readable(Protocol):
    """What a server gives to read a body from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


class CutOffError(OSError):
    """A body is shorter than its request said; Django tells views by an `UnreadablePostError`."""


class Body:
    """Takes the place of `wsgi.input` in `environ`."""

    def __init__(self, environ: Environ) -> None:
        self._environ = environ
        self._source: Readable = environ["wsgi.input"]
        self.chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        length = environ.get("CONTENT_LENGTH") or ""
        self._left = int(length) if length.isdecimal() and not self.chunked else 0
        environ["wsgi.input"] = self

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer only at the end.

        Raises
        ------
        CutOffError
            The end came before it should.

        """
        if self.chunked:
            return self._source.read(PIECE if size < 0 else size)
        wanted = self._left if size < 0 else min(size, self._left)
        found = self._source.read(wanted) if wanted else b""
        while len(found) < wanted:
            more = self._source.read(wanted - len(found))
            if not more:
                self._left = 0
                raise CutOffError("the body ended before it was complete")
            found += more
        self._left -= len(found)
        return found

    def readline(self, size: int = -1) -> bytes:
        """Return a line, or `size` bytes of it."""
        line = b""
        while len(line) != size and not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return line

    def give_length(self) -> bool:
        """Read a body that comes in pieces and say how long it is, without which Django takes it for empty.

        Returns
        -------
        False when it is too long for that.

        """
        body = b""
        while len(body) <= WHOLE and (piece := self._source.read(PIECE)):
            body += piece
        if len(body) > WHOLE:
            return False
        del self._environ["HTTP_TRANSFER_ENCODING"]
        self.chunked, self._left = False, len(body)
        self._environ["CONTENT_LENGTH"] = str(len(body))
        self._source = BytesIO(body)
        return True

    def drain(self) -> None:
        """Read what is left, if it is not much: then the connection can be used for the next request."""
        if not self.chunked and self._left > DRAINED:
            return
        room = DRAINED
        while room > 0 and (self.chunked or self._left):
            piece = self._source.read(PIECE if self.chunked else min(PIECE, self._left))
            if not piece:
                return
            room -= len(piece)
            self._left -= len(piece)
