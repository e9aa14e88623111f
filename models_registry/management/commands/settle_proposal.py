"""`manage.py settle_proposal`: approve, decline or withdraw a proposed deployment."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandParser
from django.utils import timezone

from models_registry.management.acting import ActingCommand
from models_registry.models import Proposal
from models_registry.services.proposals import approve, decline, withdraw
from ops_portal.errors import UserError
from projects.access import DEPLOY
from projects.models import Project


class Command(ActingCommand):
    """Settles a proposal; prints the number of the deployment it led to, if any."""

    help = "Approve, decline or withdraw a proposed deployment. Prints the deployment's number where it led to one."
    right = DEPLOY

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="Number of the proposal.")
        parser.add_argument("decision", choices=["approve", "decline", "withdraw"])
        parser.add_argument("--note", default="", help="Why; needed to decline.")

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        found = Proposal.objects.select_related("project__team", "version__model", "version__run", "created_by")
        proposal = found.filter(project=project, number=options["number"]).first()
        if proposal is None:
            raise UserError(f"This project has no proposal {options['number']}.")
        note = options["note"][:500]
        if options["decision"] == "approve":
            made = approve(proposal=proposal, actor=user, now=timezone.now(), note=note)
            if made is not None:
                self.stdout.write(str(made.number))
        elif options["decision"] == "decline":
            decline(proposal=proposal, actor=user, note=note)
        else:
            withdraw(proposal=proposal, actor=user, note=note)
        self.stderr.write(f"{proposal}: {proposal.steps.order_by('pk').last()}.")
