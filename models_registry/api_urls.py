"""HTTP API of models_registry."""

from django.urls import URLPattern

app_name = "models_registry_api"
urlpatterns: list[URLPattern] = []
