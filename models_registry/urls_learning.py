"""Addresses of the pages of models, runs and versions."""

from __future__ import annotations

from django.urls import URLPattern

patterns: list[URLPattern] = []
