"""HTTP API of one project's models, under /api/v1/projects/<slug>/."""

from django.urls import path

from models_registry.api import predict

app_name = "models_registry_api"
urlpatterns = [
    path("predict/", predict.predict_call, name="predict"),
]
