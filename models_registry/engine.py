"""The one door to the parts of `learning` that import River.

River takes three seconds and 120 MB to import; web pages must not pay for it. Everything else imports from
`learning` directly; what needs River is reached through here, when it is first used.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING

from django.conf import settings

from models_registry.learning import codec
from ops_portal.commit import code_commit

if TYPE_CHECKING:
    from models_registry.learning.progressive import Learner
    from models_registry.learning.replays import ReplayTrial


@cache
def learner_class() -> type[Learner]:
    """Return `Learner`, importing River on the first call."""
    learner: type[Learner] = import_module("models_registry.learning.progressive").Learner
    return learner


@cache
def environment() -> dict[str, str]:
    """The versions that a state depends on, kept with every checkpoint and version; the commit where it is known."""
    commit = code_commit()
    return {
        "python": platform.python_version(),
        "river": metadata.version("river"),
        "portal": settings.VERSION,
        **({"commit": commit} if commit else {}),
    }


def dump(learner: Learner) -> bytes:
    """Return `learner` as a signed, compressed artifact."""
    return codec.dump(learner, settings.ARTIFACT_KEY)


def load(data: bytes) -> Learner:
    """Return the learner in `data`; bytes that this portal did not sign are refused before they are unpickled."""
    learner: Learner = codec.load(data, settings.ARTIFACT_KEY)
    return learner


def replay_trial(restored: Learner, learner: Learner) -> ReplayTrial:
    """Return a trial of a state that learns on against the one it started from."""
    trial: ReplayTrial = import_module("models_registry.learning.replays").ReplayTrial(restored, learner)
    return trial
