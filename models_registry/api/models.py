"""`models/`: the models of a project, and registering one."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from models_registry.api.call import ProjectCall
from models_registry.api.fields import Text, read
from models_registry.api.shapes import ModelOut
from models_registry.models import RegisteredModel
from models_registry.services.runs import register_model
from projects.api_fields import Body

SPEC = {
    "steps": [
        {"select": {"types": ["number"]}, "steps": [{"use": "preprocessing.StandardScaler"}]},
        {"use": "linear_model.LogisticRegression", "params": {"l2": 0.01}},
    ]
}
MODEL = {
    "id": 7,
    "name": "Scaled logistic",
    "spec": SPEC,
    "note": "",
    "created_by": "olga",
    "created_at": "2026-05-04T12:00:00Z",
    "archived_at": None,
}


class ModelIn(Body):
    """What registering a model takes."""

    name = Text(max_length=80, help_text="Unique in the project.")
    spec = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        help_text="Steps of classes from the catalogue; a wrong spec is answered with the place of each fault.",
    )
    note = Text(max_length=2000, required=False, allow_blank=True, default="")


class Models(ProjectCall):
    """The models of a project."""

    @extend_schema(
        operation_id="models_list",
        summary="List models",
        tags=["models"],
        responses=ModelOut(many=True),
        examples=[OpenApiExample("A model", MODEL, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the models of the project, newest first, archived ones too."""
        models = RegisteredModel.objects.filter(project=self.reading(request, slug)).select_related("created_by")
        return self.listed(models, ModelOut)

    @extend_schema(
        operation_id="models_create",
        summary="Register a model",
        tags=["models"],
        request=ModelIn,
        responses={201: ModelOut},
        examples=[
            OpenApiExample("Scaler and classifier", {"name": "Scaled logistic", "spec": SPEC}, request_only=True),
            OpenApiExample("The model", MODEL, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Register a model: a name and a spec over the classes of the catalogue. The spec never changes afterwards."""
        project, actor = self.managing(request, slug)
        model = register_model(project=project, actor=actor, **read(ModelIn, request.data))
        return Response(ModelOut(model).data, status=201)


class OneModel(ProjectCall):
    """One model."""

    @extend_schema(
        operation_id="models_get",
        summary="Get a model",
        tags=["models"],
        responses=ModelOut,
        examples=[OpenApiExample("A model", MODEL, response_only=True)],
    )
    def get(self, request: Request, slug: str, model_id: int) -> Response:
        """Get one model with its spec."""
        models = RegisteredModel.objects.filter(project=self.reading(request, slug)).select_related("created_by")
        return Response(ModelOut(get_object_or_404(models, pk=model_id)).data)
