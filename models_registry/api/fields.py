"""Fields of request bodies that take just the JSON type they describe."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

#: Numbers of runs, versions and deployments are 32-bit columns; positions are 64-bit ones.
LARGEST_NUMBER = 2**31 - 1
LARGEST_POSITION = 2**63 - 1


class Text(serializers.CharField):
    """A JSON text; a number is not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole JSON number; a text, a fraction or a boolean is not taken for one."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Figure(serializers.FloatField):
    """A JSON number; a text or a boolean is not taken for one."""

    def to_internal_value(self, data: Any) -> float:
        if type(data) not in (int, float):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """JSON's true or false; a word or a number is not taken for one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:40])
        return data


class Number(Whole):
    """The number of a run, version or deployment, as the pages show it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"min_value": 1, "max_value": LARGEST_NUMBER} | kwargs
        super().__init__(**kwargs)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER},
            {"type": "string", "minLength": 1, "maxLength": 80},
        ]
    }
)
class ModelReference(serializers.Field[Any, Any, Any, Any]):
    """A model of the project by its id (a number) or its name (a text)."""

    default_error_messages = {"invalid": "Give the id of a model (a number) or its name (a text)."}

    def to_internal_value(self, data: Any) -> int | str:
        if type(data) is int and 1 <= data <= LARGEST_NUMBER:
            return data
        if not isinstance(data, str) or not 1 <= len(data) <= 80:
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def name_user(**kwargs: Any) -> serializers.CharField:
    """Make the field of the user name of whoever did something; null where the portal did, or the account is gone."""
    return serializers.CharField(read_only=True, allow_null=True, **kwargs)


def read(kind: type[serializers.Serializer[Any]], given: Any) -> dict[str, Any]:
    """Return the checked values of a body or of query parameters."""
    # As a form's values, empty ones would be passed over; `?state=` is a mistake and is told so.
    serializer = kind(data=given.dict() if isinstance(given, QueryDict) else given)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
