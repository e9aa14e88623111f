"""Write `catalogue.json` from River's own signatures and docstrings.

    python -m models_registry.learning.generate_catalogue

The file is committed, so that pages can list and check parameters without importing River; a test generates it again
and compares.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

from river.__version__ import __version__ as river_version

from . import catalogue_offer as offer
from . import catalogue_rules as rules
from . import river_private
from .catalogue_help import HELP
from .catalogue_refused import REFUSED
from .measures import find_class as find_measure_class

TARGET = Path(__file__).with_name("catalogue.json")


def generate() -> dict[str, Any]:
    """Return the catalogue as plain data."""
    entries: dict[str, Any] = {}
    for group, parts in offer.OFFER.items():
        for roles, paths in parts:
            for path in paths:
                entries[path] = _entry(path, group, roles)
    return {"river": river_version, "groups": list(offer.OFFER), "entries": entries, "refused": REFUSED}


def render() -> str:
    """Return the catalogue as the text of its file, one parameter to a line so that a change of River reads well."""
    data = generate()
    entries = []
    for path, entry in data["entries"].items():
        params = entry.pop("params")
        lines = ",".join("\n   " + _compact(param) for param in params)
        head = _compact(entry)[:-1]
        entries.append(f'  {_compact(path)}: {head}, "params": [{lines}]}}')
    head = "".join(f" {_compact(key)}: {_compact(data[key])},\n" for key in ("river", "groups", "refused"))
    return "{\n" + head + ' "entries": {\n' + ",\n".join(entries) + "\n }\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def find_class(path: str) -> type:
    """Return the River class a path names."""
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(f"river.{module}"), name)
    return found


def _entry(path: str, group: str, roles: tuple[str, ...]) -> dict[str, Any]:
    cls = find_class(path)
    summary, helps = _docstring(cls)
    title = find_measure_class(cls.__name__).title if "run_metric" in roles else _title(cls.__name__)
    entry: dict[str, Any] = {"title": title, "group": group, "roles": list(roles), "summary": summary}
    params = _params(path, cls, helps)
    if tasks := _tasks(path, cls, roles, params):
        entry["tasks"] = tasks
    entry["params"] = params
    return entry


def _tasks(path: str, cls: type, roles: tuple[str, ...], params: list[dict[str, Any]]) -> list[str]:
    if "regressor" in roles:
        return ["regression"]
    if "run_metric" in roles:
        return list(find_measure_class(cls.__name__).tasks)
    if "splitter" in roles:
        return ["binary", "multiclass"] if cls().is_target_class else ["regression"]
    if "classifier" not in roles:
        return []
    if path in offer.BINARY_ONLY:
        return ["binary"]
    if path in offer.MULTICLASS_TOO or any(_nested_task(accepts) == "same" for p in params for accepts in p["accepts"]):
        return ["binary", "multiclass"]
    example = river_private.make_example(cls)
    return ["binary", "multiclass"] if river_private.is_multiclass(example) else ["binary"]


def _nested_task(accepts: dict[str, Any]) -> str | None:
    task: str | None = accepts["of"].get("task") if accepts["type"] == "list" else accepts.get("task")
    return task


def _params(path: str, cls: type, helps: dict[str, str]) -> list[dict[str, Any]]:
    if cls.__init__ is object.__init__:  # type: ignore[misc]
        return []
    params = []
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:  # type: ignore[misc]
        if f"*.{name}" in offer.HIDDEN or f"{path}.{name}" in offer.HIDDEN:
            continue
        positional = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        accepts, nullable = _accepts(path, name, parameter)
        param: dict[str, Any] = {"name": name, "accepts": accepts}
        if nullable:
            param["nullable"] = True
        if positional:
            param["positional"] = True
        if name in offer.DEFAULTS.get(path, {}):
            param["default"] = offer.DEFAULTS[path][name]
            param["own_default"] = True
            if parameter.default is not inspect.Parameter.empty:
                param["river_default"] = parameter.default
        elif parameter.default is inspect.Parameter.empty:
            param["required"] = True
        else:
            param["default"] = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
        param["help"] = HELP.get(f"{path}.{name}") or helps.get(name) or HELP[name]
        params.append(param)
    return params


def _accepts(path: str, name: str, parameter: inspect.Parameter) -> tuple[list[dict[str, Any]], bool]:
    annotation = parameter.annotation if isinstance(parameter.annotation, str) else ""
    parts = [part.strip() for part in annotation.strip("'").split(" | ")] if annotation else []
    nullable = "None" in parts or parameter.default is None
    if found := rules.PARAMETERS.get(f"{path}.{name}") or rules.BY_NAME.get(name):
        return found, nullable
    accepts = [rules.ANNOTATIONS[part] for part in parts if part in rules.ANNOTATIONS]
    if isinstance(parameter.default, bool):
        accepts = [rules.BOOLEAN]
    if not accepts:
        raise LookupError(
            f"{path}.{name}: say in catalogue_rules what it accepts ({annotation} = {parameter.default!r})"
        )
    return accepts, nullable


def _title(name: str) -> str:
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    return " ".join(word if word.isupper() or i == 0 else word.lower() for i, word in enumerate(words))


def _docstring(cls: type) -> tuple[str, dict[str, str]]:
    text = inspect.cleandoc(cls.__doc__ or "")
    summary = " ".join(text.split("\n\n")[0].split())
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-{3,}|\Z)", text, re.DOTALL | re.MULTILINE)
    helps: dict[str, str] = {}
    if section:
        name = ""
        for line in section.group(1).splitlines():
            if line and not line.startswith(" "):
                name = line.split(":")[0].strip().lstrip("*")
                helps[name] = ""
            elif name and (line.strip() or helps[name]):
                helps[name] += line.strip() + "\n"
    return _plain(summary), {name: _plain(" ".join(text.split())) for name, text in helps.items()}


def _plain(text: str) -> str:
    """Drop the docstring marks that mean nothing in a form: code ticks, footnotes, formula dollars."""
    text = re.sub(r"\[\^\d+\]|<br/?>", "", text)
    text = text.replace(r"\varepsilon", "ε")
    return re.sub(r"`+|\$|\\(?=%)", "", text).strip()


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
