"""What people are called on pages."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

PORTAL = "the portal"


def name_person(person: AbstractBaseUser | None) -> str:
    """Return the full name, else the user name; what no person did was done by the portal."""
    if person is None:
        return PORTAL
    full_name = getattr(person, "get_full_name", lambda: "")()
    return full_name or person.get_username()
