"""Answers as the OpenAPI description shows them."""

from __future__ import annotations

from typing import Any

AT = "2026-05-04T12:00:00Z"
METRICS = {"overall.Accuracy": 0.912, "rolling.Accuracy": 0.934, "baseline.Accuracy": 0.557}

RUN: dict[str, Any] = {
    "number": 3,
    "model": 7,
    "model_name": "Scaled logistic",
    "mode": "follow",
    "purpose": "learn",
    "state": "running",
    "error": "",
    "from_version": None,
    "verifies": None,
    "seed": 1,
    "publish_every": 5000,
    "trigger": "api",
    "start_position": 0,
    "position": 12000,
    "target_position": None,
    "learned": 11998,
    "set_aside": 2,
    "events_per_second": 15300.5,
    "metrics": METRICS,
    "created_by": "olga",
    "created_at": AT,
    "started_at": AT,
    "updated_at": AT,
    "finished_at": None,
}
VERSION: dict[str, Any] = {
    "number": 4,
    "model": 7,
    "model_name": "Scaled logistic",
    "run": 3,
    "parent": 3,
    "position": 10000,
    "reason": "rule",
    "metrics": METRICS,
    "digest": "9f2c1d",
    "artifact_bytes": 1534,
    "environment": {"python": "3.11.7", "river": "0.26.1"},
    "created_by": None,
    "created_at": AT,
}
DEPLOYMENT: dict[str, Any] = {
    "number": 2,
    "version": 4,
    "kind": "deploy",
    "mode": "pin",
    "previous": 3,
    "since": "",
    "replay_run": None,
    "reason": "Better on the newest week",
    "created_by": "olga",
    "created_at": AT,
}
ROLLBACK: dict[str, Any] = DEPLOYMENT | {
    "number": 3,
    "version": 3,
    "kind": "rollback",
    "previous": 4,
    "since": "replay",
    "replay_run": 5,
    "reason": "Worse since noon",
}
