"""Deploying a version, and rolling back to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings

from models_registry.models import Deployment
from models_registry.selectors.history import VersionOption
from models_registry.services.canary import SHARES
from ops_portal.errors import UserError
from ops_portal.forms import ChoiceList

#: The numbers of versions and deployments are 32-bit.
LARGEST = 2**31 - 1
LONGEST_REASON = Deployment._meta.get_field("reason").max_length

MODES = [(Deployment.Mode.PIN, "Pin"), (Deployment.Mode.FOLLOW, "Follow")]
MODE_HELP: dict[str, str] = {
    Deployment.Mode.PIN: "Serves exactly this version until somebody changes it.",
    Deployment.Mode.FOLLOW: "Serves the newest checkpoint of the version's run: what it learns is live a second later.",
}
SINCE = [
    (Deployment.Since.CHALLENGER, "Keep it as challenger"),
    (Deployment.Since.REPLAY, "Replay it"),
    (Deployment.Since.DROP, "Drop it"),
]
SINCE_HELP: dict[str, str] = {
    Deployment.Since.CHALLENGER: "The runs go on learning without serving, and what is replaced predicts in the "
    "shadow. Nothing is stopped or lost.",
    Deployment.Since.REPLAY: "A new run learns the events since then onto the restored version. It is deployed if it "
    "does not do worse on them, else kept.",
    Deployment.Since.DROP: "The run it came from stops, and so do runs that went on from it; the state they reached is "
    "kept as a version first.",
}


class _ChoosingForm(forms.Form):
    """A form that chooses a version; `expected` is the deployment the person saw as the newest one."""

    expected = forms.IntegerField(min_value=0, max_value=LARGEST, widget=forms.HiddenInput)

    def __init__(self, *args: Any, options: Sequence[VersionOption], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.options = {option.number: option for option in options}

    def refuse(self, refused: UserError, newest: int) -> None:
        """Show why it was refused. After a conflict the next try expects what the reader was told."""
        self.add_error(None, refused.message)
        if refused.code == "conflict":
            self.data = {**{name: self.data.get(name, "") for name in self.data}, "expected": str(newest)}

    def offer(self, field: str, options: Sequence[VersionOption]) -> None:
        """Let `field` choose among `options`."""
        chooser: Any = self.fields[field]
        chooser.choices = [(option.number, str(option)) for option in options]


def _at_field() -> forms.DateTimeField:
    return forms.DateTimeField(
        label="At",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help_text=f"Left empty, it is done at once; otherwise at this time ({settings.TIME_ZONE}). "
        "It can be withdrawn until then.",
    )


class DeployForm(_ChoosingForm):
    """Which version serves from now on, or from a time on, and whether it goes on learning while it does."""

    version = forms.TypedChoiceField(
        coerce=int, help_text="Newest first, with the metric over everything it was scored on."
    )
    mode = forms.ChoiceField(
        label="While it serves", choices=MODES, initial=Deployment.Mode.PIN, widget=ChoiceList(helps=MODE_HELP)
    )
    reason = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"placeholder": "Why this version, for whoever reads the history"}),
    )
    at = _at_field()
    field_order = ["version", "mode", "reason", "at", "expected"]

    def __init__(self, *args: Any, options: Sequence[VersionOption], **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        self.offer("version", options)

    def clean(self) -> dict[str, Any]:
        """Refuse to follow a run that is over: it would never learn again."""
        given = super().clean() or self.cleaned_data
        option = self.options.get(given.get("version", 0))
        if option and given.get("mode") == Deployment.Mode.FOLLOW and not option.run_open:
            self.add_error("mode", f"The run of v{option.number} is over, so there is nothing to follow. Pin it.")
        return given


class CanaryForm(_ChoosingForm):
    """Which version answers a share of the traffic, and how large it is."""

    version = forms.TypedChoiceField(coerce=int, help_text="It serves pinned: exactly this version.")
    share = forms.IntegerField(
        label="Share of the traffic, in %",
        min_value=SHARES[0],
        max_value=SHARES[1],
        initial=5,
        help_text="Which events it answers follows from a hash of their id: asked again, the same version answers.",
    )
    reason = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"placeholder": "What to look at while it runs"}),
    )
    at = _at_field()
    field_order = ["version", "share", "reason", "at", "expected"]

    def __init__(self, *args: Any, options: Sequence[VersionOption], running: int | None, **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        # While one runs only its share can be changed.
        offered = [option for option in options if running in (None, option.number)]
        self.offer("version", [option for option in offered if self.is_bound or not option.serving])


class AbortForm(_ChoosingForm):
    """Why a canary is taken back."""

    reason = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"placeholder": "What it did wrong", "autofocus": True}),
    )


class ChallengerForm(_ChoosingForm):
    """Which version predicts in the shadow of what serves."""

    version = forms.TypedChoiceField(coerce=int, help_text="It predicts for every event that is asked about.")
    reason = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"placeholder": "Why it may be better"}),
    )
    field_order = ["version", "reason", "expected"]

    def __init__(self, *args: Any, options: Sequence[VersionOption], **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        self.offer("version", [option for option in options if self.is_bound or not option.serving])


class DecisionForm(forms.Form):
    """What somebody decides about a proposal, and why."""

    decision = forms.ChoiceField(choices=[(name, name) for name in ("approve", "decline", "withdraw")])
    note = forms.CharField(required=False, max_length=LONGEST_REASON)


class RollBackForm(_ChoosingForm):
    """Which version to restore, what becomes of learning since, and why."""

    to = forms.TypedChoiceField(coerce=int, label="Restore", help_text="What served before comes first.")
    since = forms.ChoiceField(
        label="What was learned since",
        choices=SINCE,
        initial=Deployment.Since.CHALLENGER,
        widget=ChoiceList(helps=SINCE_HELP),
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"placeholder": "What went wrong", "autofocus": True}),
        error_messages={"required": "Give a reason: whoever reads the history later will want it."},
    )
    field_order = ["to", "reason", "since", "expected"]

    def __init__(self, *args: Any, options: Sequence[VersionOption], follows: bool, **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        # What is pinned is not offered, as it serves; a follower can be set back to the version it started from. What
        # was sent may have come to serve meanwhile: then the conflict is what there is to say.
        self.offer("to", [option for option in options if follows or self.is_bound or not option.serving])
