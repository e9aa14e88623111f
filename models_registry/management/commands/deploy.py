"""`manage.py deploy`: let a version serve, now or later, or answer a share as canary."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from models_registry.api.shapes import DeploymentOut, ProposalOut
from models_registry.management.acting import ActingCommand, add_json, find_version, version_number
from models_registry.models import Deployment, Proposal, Version
from models_registry.services.proposals import canary_or_propose, deploy_or_propose
from projects.access import DEPLOY
from projects.models import Project


class Command(ActingCommand):
    """Deploys a version; prints the deployment's number, or that of the proposal which waits."""

    help = (
        "Let a version serve from the next prediction on. Prints the deployment's number; `proposal N` where it waits "
        "for its time or for a second person."
    )
    right = DEPLOY

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=version_number, help="Number of the version, such as 12 or v12.")
        parser.add_argument("--mode", choices=Deployment.Mode.values, default=Deployment.Mode.PIN)
        parser.add_argument("--canary", type=int, metavar="SHARE", help="Per cent of the traffic to answer as canary.")
        parser.add_argument("--at", type=moment, metavar="TIME", help="When to do it, ISO 8601; by default at once.")
        parser.add_argument("--reason", default="", help="For whoever reads the history later.")
        add_json(parser)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        version = find_version(project, options["version"])
        given = {"now": timezone.now(), "due_at": options["at"], "reason": options["reason"][:500]}
        made: Deployment | Proposal
        if options["canary"] is None:
            made = deploy_or_propose(project=project, version=version, actor=user, mode=options["mode"], **given)
        else:
            made = canary_or_propose(project=project, version=version, actor=user, share=options["canary"], **given)
        if isinstance(made, Proposal):
            self.tell(options, f"proposal {made.number}", ProposalOut(made).data)
        else:
            self.tell(options, str(made.number), DeploymentOut(made).data)
        self.stderr.write(self._describe(version, made))

    def _describe(self, version: Version, made: Deployment | Proposal) -> str:
        what = f"{version} of {version.model.name}"
        if isinstance(made, Proposal):
            waits = [f"until {made.due_at:%Y-%m-%d %H:%M %Z}"] if made.due_at else []
            waits += ["for a second person"] if made.needs_approval else []
            return f"{what} waits {' and '.join(waits)}."
        return f"{what} answers {made.canary_share}% of the traffic." if made.canary else f"{what} serves now."


def moment(text: str) -> datetime:
    """Read a time; without an offset it is one of the portal's time zone."""
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like 2026-05-04T22:00")
    return at if timezone.is_aware(at) else timezone.make_aware(at)
