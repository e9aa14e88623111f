"""Addresses of the pages of models, runs, comparisons and versions."""

from __future__ import annotations

from django.urls import URLPattern, path

from models_registry.views import comparisons, describing, models, run_table, runs, versions

patterns: list[URLPattern] = [
    path("projects/<slug:slug>/models/", models.model_list, name="model_list"),
    path("projects/<slug:slug>/models/new/", describing.model_create, name="model_create"),
    path("projects/<slug:slug>/models/offers/", describing.model_offers, name="model_offers"),
    path("projects/<slug:slug>/models/<int:model_id>/", models.model, name="model"),
    path("projects/<slug:slug>/runs/", run_table.run_list, name="run_list"),
    path("projects/<slug:slug>/runs/columns/", run_table.run_columns, name="run_columns"),
    path("projects/<slug:slug>/runs/ticked/", run_table.run_ticked, name="run_ticked"),
    path("projects/<slug:slug>/runs/export.csv", run_table.run_export, {"form": "csv"}, name="run_export_csv"),
    path("projects/<slug:slug>/runs/export.json", run_table.run_export, {"form": "json"}, name="run_export_json"),
    path("projects/<slug:slug>/runs/new/", runs.run_create, name="run_create"),
    path("projects/<slug:slug>/runs/compare/", comparisons.run_compare, name="run_compare"),
    path(
        "projects/<slug:slug>/runs/compare/export.csv",
        comparisons.run_compare_export,
        {"form": "csv"},
        name="run_compare_csv",
    ),
    path(
        "projects/<slug:slug>/runs/compare/export.json",
        comparisons.run_compare_export,
        {"form": "json"},
        name="run_compare_json",
    ),
    path("projects/<slug:slug>/comparisons/", comparisons.comparison_list, name="comparison_list"),
    path("projects/<slug:slug>/comparisons/new/", comparisons.comparison_create, name="comparison_create"),
    path("projects/<slug:slug>/comparisons/sweep/", comparisons.sweep_create, name="sweep_create"),
    path("projects/<slug:slug>/comparisons/sweep/count/", comparisons.sweep_count, name="sweep_count"),
    path("projects/<slug:slug>/comparisons/<int:number>/", comparisons.comparison, name="comparison"),
    path(
        "projects/<slug:slug>/comparisons/<int:number>/export.csv",
        comparisons.comparison_export,
        {"form": "csv"},
        name="comparison_csv",
    ),
    path(
        "projects/<slug:slug>/comparisons/<int:number>/export.json",
        comparisons.comparison_export,
        {"form": "json"},
        name="comparison_json",
    ),
    path(
        "projects/<slug:slug>/comparisons/<int:number>/cancel/", comparisons.comparison_cancel, name="comparison_cancel"
    ),
    path("projects/<slug:slug>/runs/<int:number>/", runs.run, name="run"),
    path("projects/<slug:slug>/runs/<int:number>/describe/", runs.run_describe, name="run_describe"),
    path("projects/<slug:slug>/runs/<int:number>/live/", runs.run_live, name="run_live"),
    path("projects/<slug:slug>/runs/<int:number>/chart/", runs.run_chart, name="run_chart"),
    path("projects/<slug:slug>/runs/<int:number>/metrics/", runs.run_metrics, name="run_metrics"),
    path("projects/<slug:slug>/runs/<int:number>/pause/", runs.run_pause, name="run_pause"),
    path("projects/<slug:slug>/runs/<int:number>/resume/", runs.run_resume, name="run_resume"),
    path("projects/<slug:slug>/runs/<int:number>/cancel/", runs.run_cancel, name="run_cancel"),
    path("projects/<slug:slug>/runs/<int:number>/publish/", runs.run_publish, name="run_publish"),
    path("projects/<slug:slug>/runs/<int:number>/restore/", runs.run_restore, name="run_restore"),
    path("projects/<slug:slug>/versions/", versions.version_list, name="version_list"),
    path("projects/<slug:slug>/versions/compare/", versions.version_compare, name="version_compare"),
    path("projects/<slug:slug>/versions/<int:number>/", versions.version, name="version"),
    path("projects/<slug:slug>/versions/<int:number>/verify/", versions.version_verify, name="version_verify"),
]
