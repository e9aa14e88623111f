"""Client of Ops Portal's HTTP API, for programs that stream events, ask for predictions and release models."""

from ops_portal_client.answers import (
    Challenger,
    Deployment,
    Prediction,
    Proposal,
    Receipt,
    Rejection,
    Run,
    Step,
    Version,
)
from ops_portal_client.client import Client
from ops_portal_client.errors import ApiError, OpsPortalError, Unreachable

__all__ = [
    "ApiError",
    "Challenger",
    "Client",
    "Deployment",
    "OpsPortalError",
    "Prediction",
    "Proposal",
    "Receipt",
    "Rejection",
    "Run",
    "Step",
    "Unreachable",
    "Version",
]
