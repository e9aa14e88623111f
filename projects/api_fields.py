"""Request bodies that take just their fields, and the name of an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, extend_schema_field
from rest_framework import serializers

from projects.payload import MAX_KEY


class Body(serializers.Serializer[Any]):
    """A request body. A field it does not know is refused: a misspelt one would be silently ignored otherwise."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                message = f"Unknown field; the fields are {', '.join(sorted(self.fields))}."
                raise serializers.ValidationError({name[:100]: [message] for name in unknown[:10]})
        return super().to_internal_value(data)


class BodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI description that a body takes no further fields."""

    target_class = Body
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any]
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]
        return schema | {"additionalProperties": False}


@extend_schema_field({"oneOf": [{"type": "string", "minLength": 1, "maxLength": MAX_KEY}, {"type": "integer"}]})
class EventKey(serializers.CharField):
    """The name of an event, described as what `projects.payload` takes: a text or a whole number."""
