"""Forms of the statements board."""

from __future__ import annotations

from django import forms

from assessments.models import Statement
from assessments.services.board import LONGEST
from ops_portal.forms import Segmented


class StatementForm(forms.Form):
    """A benefit or a limitation in one sentence; nothing is chosen beforehand."""

    kind = forms.ChoiceField(
        choices=Statement.Kind.choices,
        widget=Segmented,
        label="It is a",
        error_messages={"required": "Say whether it is a benefit or a limitation."},
    )
    text = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Statement",
        help_text="One thought in one sentence, so that others can agree or disagree with all of it.",
        error_messages={
            "max_length": "This has %(show_value)s characters; at most 500 fit. One statement, one thought.",
            "required": "Say it in a sentence.",
        },
    )


class BoardForm(forms.Form):
    """Opening the board."""

    anonymous = forms.BooleanField(
        required=False,
        initial=True,
        label="Anonymous",
        help_text="Statements are shown without names, in exports too. This cannot be changed later.",
    )


class CodeForm(forms.Form):
    """A new code."""

    name = forms.CharField(max_length=80, label="New code", help_text="Such as “Effort” or “Fewer mistakes”.")
