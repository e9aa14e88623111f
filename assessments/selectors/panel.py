"""The panel: who was invited, how far they are, and whom a visitor is on it. Nothing here reads a vote."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse

from assessments.models import Assessment, Expert, Round, ScopeProfile
from assessments.scoring.settings import Settings
from assessments.selectors.checklist import current_assessment
from assessments.selectors.scope import newest_profile
from assessments.selectors.voting import Attendance, read_attendance
from projects.access import RATE, Visitor, people_with
from projects.models import Project

#: Fewer experts than this, and a reason may give its author away.
SMALL_PANEL = 5


@dataclass(frozen=True)
class PanelState:
    """The panel of a project's assessment."""

    assessment: Assessment | None
    attendance: tuple[Attendance, ...]
    rounds: tuple[Round, ...]
    own: Expert | None
    #: The newest profile of the project as it is now.
    scope: ScopeProfile | None

    @property
    def current(self) -> Round | None:
        """The open round."""
        return next((one for one in self.rounds if one.is_open), None)

    @property
    def last_closed(self) -> Round | None:
        """The newest closed round."""
        return next((one for one in self.rounds if not one.is_open), None)

    @property
    def named(self) -> bool:
        """Say whether the panel shows who said what; before the first round nobody has decided."""
        return bool(self.rounds) and not self.rounds[0].anonymous

    @property
    def settings_fixed(self) -> bool:
        """Say whether a first round fixed anonymity and settings; those of a closed assessment fix nothing anew."""
        return bool(self.rounds) and self.assessment is not None and self.assessment.is_open

    @property
    def scope_known(self) -> bool:
        """Say whether the project is described."""
        return self.scope is not None

    @property
    def scope_moved(self) -> bool:
        """Say whether the project is described otherwise than when the open round began."""
        judged = self.current.scope_current_id if self.current else None
        return judged is not None and self.scope is not None and judged != self.scope.pk

    @property
    def invited(self) -> tuple[Attendance, ...]:
        """The experts on the panel; a link that has run out takes nobody off it."""
        return tuple(one for one in self.attendance if one.expert.revoked_at is None)

    @property
    def complete(self) -> int:
        """How many have answered everything."""
        return sum(one.complete for one in self.invited)

    @property
    def begun(self) -> int:
        """How many have answered something."""
        return sum(one.answered > 0 for one in self.invited)

    @property
    def can_close(self) -> bool:
        """Say whether somebody said something in the open round; from the second on, answers are carried over."""
        return self.current is not None and (self.begun > 0 or self.current.number > 1)

    @property
    def small(self) -> bool:
        """Say whether anonymity is thin."""
        return 0 < len(self.invited) < SMALL_PANEL

    @property
    def rounds_left(self) -> int:
        """How many rounds may still be opened."""
        limit = Settings.from_json(self.rounds[0].settings).maximum_rounds if self.rounds else Settings().maximum_rounds
        return max(0, limit - len(self.rounds))

    @property
    def can_open(self) -> bool:
        """Say whether a round can be opened now."""
        able = any(one.expert.may_vote for one in self.attendance)
        return able and self.scope_known and self.current is None and self.rounds_left > 0


def read_panel(project: Project, user_id: int | None) -> PanelState:
    """Read the panel of the project's assessment: 6 queries at most."""
    assessment = current_assessment(project)
    scope = newest_profile(project, "current")
    if assessment is None:
        return PanelState(None, (), (), None, scope)
    rounds = tuple(assessment.rounds.select_related("opened_by", "closed_by").defer("result").order_by("-number"))
    current = next((one for one in rounds if one.is_open), None)
    attendance = read_attendance(assessment, current)
    own = next((a.expert for a in attendance if a.expert.user_id == user_id and a.expert.revoked_at is None), None)
    return PanelState(assessment, attendance, rounds, own, scope)


def invited_now(project: Project) -> QuerySet[Expert]:
    """Everybody who was invited to the project's open assessment, those who were taken off too."""
    return Expert.objects.filter(assessment__project=project, assessment__state=Assessment.State.OPEN)


def invitable(project: Project) -> QuerySet[User]:
    """Members of the team who may rate and are not on the panel yet."""
    on_panel = invited_now(project).filter(revoked_at=None, user__isnull=False)
    return people_with(RATE, project.team_id).exclude(pk__in=on_panel.values("user")).order_by("username")


def guest_address(project: Project, token: str) -> str:
    """The address of a guest's page; whoever has it votes as the guest."""
    return reverse("assessments:guest_vote_start", args=[project.slug, token])


def find_expert(project: Project, user: Visitor) -> Expert | None:
    """Find whom `user` is on the panel of the project's open assessment: 1 query; None where not invited by account."""
    found = invited_now(project).filter(user=user.pk, revoked_at=None)
    return found.select_related("assessment").first()
