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
    "tags": ["spring"],
    "note": "With the cleaned labels",
    "archived": False,
    "comparison": 1,
    "parameters": {"LogisticRegression.l2": 0.01, "StandardScaler.with_std": True},
    "environment": {"python": "3.11.7", "river": "0.26.1", "portal": "0.1.0"},
    "duration_seconds": 12.5,
    "throughput": 15120.3,
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
    "canary": None,
    "canary_share": 0,
    "since": "",
    "replay_run": None,
    "replay_verdict": None,
    "proposal": None,
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
CANARY: dict[str, Any] = DEPLOYMENT | {
    "number": 4,
    "kind": "canary",
    "canary": 6,
    "canary_share": 5,
    "reason": "Watch the new customers",
}
PROPOSAL: dict[str, Any] = {
    "number": 1,
    "action": "deploy",
    "version": 4,
    "mode": "pin",
    "share": 0,
    "needs_approval": True,
    "at": None,
    "reason": "Better on the newest week",
    "created_by": "olga",
    "created_at": AT,
    "steps": [{"kind": "approved", "note": "Looked at the curve", "created_by": "mia", "created_at": AT}],
}
CHALLENGER: dict[str, Any] = {
    "version": 6,
    "model_name": "Scaled logistic",
    "since": AT,
    "reason": "Newer",
    "created_by": "olga",
    "asked": 1350,
    "verdict": {
        "metric": "Accuracy",
        "serving": 0.861,
        "challenger": 0.893,
        "events": 484,
        "better": "challenger",
        "test": "McNemar",
        "p": 0.021,
        "words": "v6 is better than v4, and not by chance: Accuracy 89.3% against 86.1% on the same 484 events "
        "(McNemar, p = 0.021).",
    },
}
LIVE: dict[str, Any] = {
    "deployment": 4,
    "version": 4,
    "metric": "Accuracy",
    "value": 0.861,
    "answers": 484,
    "canary": {
        "version": 6,
        "share": 5,
        "value": 0.902,
        "answers": 116,
        "standing": "open",
        "words": "Too close to tell.",
    },
    "last_good": {"version": 3, "reason": "v3 served last before v4."},
}
COMPARISON: dict[str, Any] = {
    "number": 1,
    "name": "Scaled logistic against Hoeffding tree",
    "kind": "compare",
    "runs": [3, 4],
    "created_by": "olga",
    "created_at": AT,
}
_CANDIDATE: dict[str, Any] = {
    "run": 3,
    "name": "Scaled logistic",
    "model": 7,
    "state": "completed",
    "position": 12000,
    "champion": True,
    "version": 4,
    "metrics": {"Accuracy": 0.912},
    "parameters": {"LogisticRegression.l2": "0.01"},
    "verdict": None,
}
COMPARISON_RESULT: dict[str, Any] = COMPARISON | {
    "metric": "Accuracy",
    "champion_because": "its v4 serves now",
    "headline": "Hoeffding tree is better than Scaled logistic, and not by chance.",
    "candidates": [
        _CANDIDATE,
        _CANDIDATE
        | {
            "run": 4,
            "name": "Hoeffding tree",
            "model": 8,
            "champion": False,
            "version": 5,
            "metrics": {"Accuracy": 0.931},
            "parameters": {},
            "verdict": {
                "metric": "Accuracy",
                "better": "challenger",
                "test": "McNemar",
                "p": 0.0004,
                "interval": None,
                "events": 11998,
                "words": "Hoeffding tree is better than Scaled logistic, and not by chance: Accuracy 93.1% against "
                "91.2% on the same 11,998 events (McNemar, p < 0.001).",
            },
        },
    ],
}
