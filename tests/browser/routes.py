"""The pages of the portal, read from its addresses: a new page is photographed without being listed anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

#: Not pages of ours: the API and its documentation (from a package), Django's admin, and answers for machines.
FOREIGN = ("api/", "admin/", "health/", "metrics")

POSTED = "changes something and answers POST only"
FRAGMENT = "a part of another page, fetched by it"
DOWNLOAD = "a file"
#: Addresses that are no page, by name.
LEFT_OUT = {
    "sign_out": POSTED,
    "projects:unarchive": "asks back for an archived project; the same page as archiving",
    "projects:import_discard": POSTED,
    "projects:import_pause": POSTED,
    "projects:import_resume": POSTED,
    "projects:import_rate": POSTED,
    "projects:import_rejected": DOWNLOAD,
    "projects:labels_discard": POSTED,
    "projects:member_role": POSTED,
    "projects:member_link": POSTED,
    "models_registry:overview_chart": FRAGMENT,
    "models_registry:predict_label": POSTED,
    "models_registry:model_offers": FRAGMENT,
    "models_registry:sweep_count": POSTED,
    "models_registry:run_ticked": POSTED,
    "models_registry:run_describe": POSTED,
    "models_registry:run_export_csv": DOWNLOAD,
    "models_registry:run_export_json": DOWNLOAD,
    "models_registry:run_compare_csv": DOWNLOAD,
    "models_registry:run_compare_json": DOWNLOAD,
    "models_registry:comparison_csv": DOWNLOAD,
    "models_registry:comparison_json": DOWNLOAD,
    "models_registry:run_live": FRAGMENT,
    "models_registry:run_chart": FRAGMENT,
    "models_registry:run_metrics": "figures as JSON",
    "models_registry:run_pause": POSTED,
    "models_registry:run_resume": POSTED,
    "models_registry:run_publish": POSTED,
    "models_registry:version_verify": POSTED,
    "models_registry:canary_abort": "needs a canary; test_releases looks at it",
    "models_registry:challenger_stop": POSTED,
    "models_registry:proposal": "needs a proposal; test_releases looks at it",
    "assessments:panel": FRAGMENT,
    "assessments:close": "asks before an open assessment is closed; test_closing_in_browser looks at it",
    "assessments:checklist_start": "leads to the first principle",
    "assessments:scope_preview": FRAGMENT,
    "assessments:scope_measured": FRAGMENT,
    "catalogue:import": "needs a newer edition of the portal; without one it leads back",
    "catalogue:source_add": POSTED,
    "catalogue:principle_retire": POSTED,
    "catalogue:principle_back": POSTED,
    "assessments:board_open": POSTED,
    "assessments:board_close": "asks before an open board is closed; test_closing_in_browser looks at it",
    "assessments:code_add": POSTED,
    "assessments:code_remove": POSTED,
    "assessments:statement_group": POSTED,
    "assessments:board_csv": DOWNLOAD,
    "assessments:board_json": DOWNLOAD,
    "assessments:expert_board": "leads to the first principle",
    "assessments:guest_expert_board": "leads to the first principle",
    "assessments:invite": POSTED,
    "assessments:expert_renew": POSTED,
    "assessments:expert_revoke": "asks before an expert is taken off; test_closing_in_browser looks at it",
    "assessments:round_open": POSTED,
    "assessments:round_close": "asks before an open round is closed; test_closing_in_browser looks at it",
    "assessments:result_pdf": DOWNLOAD,
    "assessments:shared_pdf": DOWNLOAD,
    "assessments:result_csv": DOWNLOAD,
    "assessments:result_json": DOWNLOAD,
    "assessments:share_create": POSTED,
    "assessments:share_end": POSTED,
}
#: Further states of a page that an address can name.
QUERIES = {
    "models_registry:model_create": ("", "?template=hoeffding-tree"),
    "models_registry:version_compare": ("?a=1&b=4",),
    "models_registry:run_compare": ("?r=1&r=2",),
    "models_registry:sweep_create": ("", "?model=1"),
    "models_registry:run_list": ("", "?sort=-throughput&shown=all"),
    "models_registry:deploy": ("?version=1",),
}


@dataclass(frozen=True)
class Route:
    """One named address with the names of its arguments."""

    name: str
    pattern: str
    arguments: tuple[str, ...]

    def address(self, known: dict[str, object]) -> str:
        """Fill in the arguments: those known under `<route>.<argument>` first, else under the argument's name."""
        path = "/" + self.pattern
        for converter, argument in self._placeholders():
            value = known.get(f"{self.name}.{argument}", known.get(argument))
            assert value is not None, f"Say in test_pages what <{argument}> of {self.name} is in the demo data"
            path = path.replace(f"<{converter}{argument}>", str(value))
        return path

    def _placeholders(self) -> Iterator[tuple[str, str]]:
        for argument in self.arguments:
            before = self.pattern[: self.pattern.index(f"{argument}>")]
            yield before[before.rindex("<") + 1 :], argument


def all_routes() -> list[Route]:
    """Every named address of the portal that is ours."""
    found = _walk(get_resolver().url_patterns, "", "", ())
    return [route for route in found if not route.pattern.startswith(FOREIGN)]


def _walk(
    patterns: list[URLPattern | URLResolver], path: str, space: str, arguments: tuple[str, ...]
) -> Iterator[Route]:
    for one in patterns:
        here = path + str(one.pattern)
        taken = (*arguments, *one.pattern.converters)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, here, f"{space}{one.namespace}:" if one.namespace else space, taken)
        elif one.name:
            yield Route(space + one.name, here, taken)
