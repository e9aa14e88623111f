"""Texts from outside: what no database can store of them, and how they are shown. Pure."""

from __future__ import annotations


def fault_of(text: str) -> str:
    """Say what makes `text` one that cannot be stored, or nothing.

    PostgreSQL's texts have no null character, and half of a surrogate pair is no character at all.
    """
    if "\0" in text:
        return "has a null character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has a broken character (half of a surrogate pair)"
    return ""


def storable(text: str) -> str:
    """Return `text` with a sign in the place of whatever cannot be stored: for reasons and for what is only shown."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd") if fault_of(text) else text
