"""Forms of the panel: what an expert says about a principle, swing points, invitations, and the settings of a panel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.auth.models import User

from assessments.forms.answers import WebLinkField
from assessments.models import Confidence, Stance
from assessments.principles import Catalogue, Principle
from assessments.scoring.settings import Settings
from assessments.services.panel_ratings import LEVEL_WRONG, MOST_POINTS, VOTE_WRONG, Effort, RatingDraft
from assessments.services.panel_rounds import GUEST_DAYS

UNKNOWN = "unknown"
LEVELS = (("0", "None"), ("1", "A little"), ("2", "Clear"), ("3", "Large"), ("4", "Decisive"), (UNKNOWN, "Don't know"))
VOTES = tuple((str(vote), str(vote)) for vote in range(1, 10))
#: Answers that are no vote; they stand beside the scale, so that nothing has to be chosen before it.
NO_VOTE = ((Stance.UNKNOWN.value, "I don't know"), (Stance.NOT_APPLICABLE.value, "It does not apply here"))
MOST_ROUNDS = 3
EFFORTS = ("low", "likely", "high")
#: Before the names of the fields about a light level.
LIGHT = "light_"
NUMBER = {"invalid": "Give a number of days, such as 0.5 or 12."}


def levels_of(principle: Principle) -> list[tuple[str, tuple[str, ...]]]:
    """What is asked about: the whole principle and, where there is one, its light level; field prefix and benefits."""
    light = [(LIGHT, principle.light.serves)] if principle.light and principle.light.serves else []
    return [("", principle.serves), *light]


class RatingForm(forms.Form):
    """What an expert says about one principle; everything is optional until it is said."""

    vote = forms.ChoiceField(
        choices=[("", "No vote"), *VOTES, *NO_VOTE],
        required=False,
        error_messages={"invalid_choice": VOTE_WRONG},
    )
    confidence = forms.ChoiceField(choices=Confidence.choices, required=False)
    reason = forms.CharField(
        required=False,
        max_length=2000,
        error_messages={"max_length": "This reason has %(show_value)s characters; at most 2,000 fit."},
    )
    evidence_url = WebLinkField(
        required=False,
        max_length=500,
        assume_scheme="https",
        error_messages={"invalid": "Give a link that starts with https:// or http://."},
    )
    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, principle: Principle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.principle = principle
        for prefix, serves in levels_of(principle):
            for key in serves:
                self.fields[f"{prefix}benefit_{key}"] = forms.ChoiceField(
                    choices=[("", "Not rated"), *LEVELS],
                    required=False,
                    error_messages={"invalid_choice": LEVEL_WRONG},
                )
            for name in EFFORTS:
                self.fields[f"{prefix}effort_{name}"] = forms.FloatField(
                    required=False, min_value=0, max_value=1000, error_messages=NUMBER
                )

    @property
    def draft(self) -> RatingDraft:
        """What was said, once the form is valid. A benefit that is not mentioned is left out, "don't know" is None."""
        said = self.cleaned_data
        votes = said["vote"].isdigit()
        return RatingDraft(
            stance=Stance.RATES if votes or not said["vote"] else said["vote"],
            vote=int(said["vote"]) if votes else None,
            benefits=self._benefits(""),
            effort=self._effort(""),
            light_benefits=self._benefits(LIGHT),
            light_effort=self._effort(LIGHT),
            confidence=said["confidence"],
            reason=said["reason"],
            evidence_url=said["evidence_url"],
        )

    def _benefits(self, prefix: str) -> dict[str, int | None]:
        start = f"{prefix}benefit_"
        given = {name.removeprefix(start): value for name, value in self.cleaned_data.items() if name.startswith(start)}
        return {key: None if value == UNKNOWN else int(value) for key, value in given.items() if value}

    def _effort(self, prefix: str) -> Effort:
        low, likely, high = (self.cleaned_data.get(f"{prefix}effort_{name}") for name in EFFORTS)
        return low, likely, high

    @property
    def base_version(self) -> int:
        """The version the page showed."""
        return int(self.cleaned_data["version"] or 0)


class WeightsForm(forms.Form):
    """Swing points: the most important swing gets 100, the others what they are worth beside it."""

    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, catalogue: Catalogue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for benefit in catalogue.benefits:
            self.fields[benefit.key] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=MOST_POINTS,
                label=benefit.name,
                help_text=benefit.swing,
                error_messages={"invalid": "Give whole points from 0 to 100."},
            )

    @property
    def points(self) -> dict[str, int | None]:
        """Points by benefit, once the form is valid."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}

    @property
    def base_version(self) -> int:
        """The version the page showed."""
        return int(self.cleaned_data["version"] or 0)


class PeopleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of several people by the names they go by."""

    def label_from_instance(self, obj: Any) -> str:
        """The full name, else the user name."""
        return str(obj.get_full_name() or obj.get_username())


class InviteForm(forms.Form):
    """Invite members of the team, a guest by link, or both."""

    members = PeopleField(
        queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, label="Members of the team"
    )
    guest = forms.CharField(
        required=False, max_length=150, label="Guest", help_text="Gets a link of their own; no account is needed."
    )
    days = forms.IntegerField(
        required=False, min_value=1, max_value=365, initial=GUEST_DAYS, label="Days the link works"
    )

    def __init__(self, *args: Any, members: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].queryset = members  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for somebody to invite."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("members") and not cleaned.get("guest") and not self.errors:
            raise forms.ValidationError("Choose a member or name a guest.")
        return cleaned


class SettingsForm(forms.Form):
    """The assumptions a facilitator fixes before the first round; the others keep the portal's own values."""

    anonymous = forms.BooleanField(
        required=False,
        initial=True,
        label="Anonymous",
        help_text="Votes and reasons are shown without names, in exports too. This cannot be changed later.",
    )
    full_benefit_days = forms.FloatField(
        min_value=1,
        max_value=100_000,
        label="Worth of all benefits, days a year",
        help_text="What having all five benefits in full would be worth to a project in full need.",
    )
    remembered_benefit_days = forms.FloatField(
        required=False,
        min_value=0,
        max_value=100_000,
        label="From a case you remember, days a year",
        help_text="The same asked again: what did all of it save there? Where the two differ more than twofold, the "
        "result says so.",
    )
    budget_days = forms.FloatField(
        required=False, min_value=0, max_value=100_000, label="Budget, days", help_text="Leave open for no limit."
    )
    horizon_months = forms.FloatField(min_value=1, max_value=120, label="Horizon, months")
    first_version_delay = forms.FloatField(
        min_value=0, max_value=20, label="Delay of a first version", help_text="Extra cost of a day before it is out."
    )
    upkeep = forms.FloatField(min_value=0, max_value=5, label="Upkeep a year", help_text="As a part of the effort.")
    overrun = forms.FloatField(
        min_value=0.1, max_value=20, label="Overrun", help_text="Real effort divided by estimated effort."
    )
    maximum_rounds = forms.IntegerField(
        min_value=1, max_value=MOST_ROUNDS, label="Rounds at most", help_text="One to three."
    )
    consensus_threshold = forms.FloatField(
        min_value=0.5, max_value=1, label="Consensus at", help_text="Share of the votes in one third of the scale."
    )

    NAMES = (
        "full_benefit_days",
        "remembered_benefit_days",
        "budget_days",
        "horizon_months",
        "first_version_delay",
        "upkeep",
        "overrun",
        "maximum_rounds",
        "consensus_threshold",
    )

    @classmethod
    def starting(cls, settings: Settings) -> SettingsForm:
        """The form with the values of `settings`."""
        return cls(initial={name: getattr(settings, name) for name in cls.NAMES} | {"anonymous": True})

    def settings(self, base: Settings) -> Settings:
        """`base` with what was filled in, once the form is valid."""
        return replace(base, **{name: self.cleaned_data[name] for name in self.NAMES})
