"""How a state looks: its tone, its symbol and its word, in one place for the whole portal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """A state's appearance. `tone` is one of ok, bad, warn, live, accent, calm."""

    tone: str
    icon: str
    label: str
    working: bool = False


LOOKS = {
    # Runs and imports
    "preview": Look("warn", "eye", "Waiting for you"),
    "queued": Look("calm", "clock", "Queued"),
    "running": Look("accent", "loader-circle", "Running", working=True),
    "no_process": Look("bad", "unplug", "No process"),
    "paused": Look("warn", "pause", "Paused"),
    "completed": Look("ok", "check", "Completed"),
    "failed": Look("bad", "x", "Failed"),
    "cancelled": Look("calm", "ban", "Cancelled"),
    # Versions and deployments
    "serving": Look("live", "radio", "Serving"),
    "follows": Look("live", "radio-tower", "Follows a run"),
    "pinned": Look("calm", "pin", "Pinned"),
    "challenger": Look("accent", "swords", "Challenger"),
    "proposed": Look("warn", "users", "Waits for approval"),
    "scheduled": Look("accent", "calendar-clock", "Scheduled"),
    "declined": Look("bad", "x", "Declined"),
    "withdrawn": Look("calm", "ban", "Withdrawn"),
    "done": Look("ok", "check", "Carried out"),
    "retired": Look("calm", "archive", "Not serving"),
    "none": Look("calm", "circle-dashed", "Nothing serving"),
    "archived": Look("calm", "archive", "Archived"),
    # Monitors and alarms
    "healthy": Look("ok", "check", "Healthy"),
    "degraded": Look("bad", "trending-down", "Degraded"),
    "drift": Look("warn", "triangle-alert", "Drift"),
    "unknown": Look("calm", "circle-dashed", "Not known yet"),
    # Answers of a checklist
    "yes": Look("ok", "check", "Yes"),
    "partly": Look("warn", "circle-dot-dashed", "Partly"),
    "no": Look("bad", "x", "No"),
    "na": Look("calm", "minus", "Does not apply"),
    "unanswered": Look("calm", "circle-dashed", "Not answered"),
    "automatic": Look("accent", "sparkles", "From the records"),
    # Recommendations
    "now": Look("ok", "circle-arrow-up", "Adopt now"),
    "later": Look("warn", "calendar-clock", "Adopt later"),
    "not_yet": Look("calm", "circle-pause", "Not worth it yet"),
    "in_place": Look("live", "check-check", "In place"),
}


def look_of(state: str) -> Look:
    """The look of `state`; a state nobody described is shown plainly, by its own name."""
    words = state.replace("_", " ").replace("-", " ").strip()
    return LOOKS.get(state.lower()) or Look("calm", "circle-dot", words[:1].upper() + words[1:] or "Unknown")
