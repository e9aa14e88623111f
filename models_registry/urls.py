"""Pages of models_registry."""

from __future__ import annotations

from django.urls import URLPattern

from models_registry.urls_learning import patterns as learning_patterns

app_name = "models_registry"
urlpatterns: list[URLPattern] = [*learning_patterns]
