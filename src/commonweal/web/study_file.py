"""A reader's setting as a study file, which `commonweal run` takes and which gives the same list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import CommonwealError, StudyError
from commonweal.spec import load_study, parse_study, read_recipe, shipped_studies

if TYPE_CHECKING:
    from commonweal.index import Node
    from commonweal.spec import Study
    from commonweal.study.results import Results
    from commonweal.web.choices import Choices

__all__ = ["study_file"]


def study_file(results: Results, rescored: Results, choices: Choices) -> str:
    """Write a setting as a study that extends the one explored.

    Parameters
    ----------
    results
        A run of the study.
    rescored
        The same under the setting: what `commonweal.web.rescore.rescore` gives.
    choices
        The setting.

    Returns
    -------
    str
        YAML: the study's name under ``extends``, and the weights and rules that differ.

    Raises
    ------
    CommonwealError
        If the study was not read from a file, or the rest of it names a domain that is left out.
    """
    import yaml

    study = results.study
    name, base = _base(study)
    data: dict[str, Any] = {
        "extends": name,
        "title": f"{study.title}: a setting of the explorer",
    }
    index = {
        key: _index(base["index"][key], scores.tree)
        for key, scores in rescored.scores.items()
        if scores.tree.weights != results.scores[key].tree.weights
    }
    designate = {
        key: d.rule.written()
        for key, d in rescored.designations.items()
        if d.rule != results.designations[key].rule
    }
    data |= {key: value for key, value in (("index", index), ("designate", designate)) if value}
    if study.agreement:  # of the published setting
        data["agreement"] = []
    out = {
        name
        for key, scores in rescored.scores.items()
        for domain, weight in scores.tree.weights.items()
        if weight == 0
        for name in (domain, f"{key}.{domain}")
    }
    if out & set(study.alike):
        data["alike"] = dict.fromkeys(out & set(study.alike))
    asked = "\n".join(f"#   {key}: {value}" for key, value in choices.query().items())
    beside = f" Keep this file in the folder of {name}." if name.endswith(("yaml", "yml")) else ""
    head = f"# A setting of the explorer. Run it with: commonweal run FILE{beside}\n{asked or '#   as published'}\n"
    # What may vary is left out only where it names a domain that the setting leaves out.
    for without in ({}, dict.fromkeys(("certainty", "sensitivity"))):
        text = head + yaml.safe_dump(data | without, sort_keys=False, allow_unicode=True, width=100)
        try:
            parse_study(text, "this setting", "setting", study.folder)
        except StudyError as error:
            wrong = str(error)
        else:
            return text
    raise CommonwealError(
        f"This setting cannot be a study file: the study names a domain elsewhere that it leaves out. {wrong}"
    )


def _base(study: Study) -> tuple[str, dict[str, Any]]:
    """Give the name that a file extends the study by, and the study's keys as they are written."""
    files = (f"{study.name}{ending}" for ending in (".yaml", ".yml"))
    there = [name for name in files if (study.folder / name).is_file()]
    for name in [*(n for n in shipped_studies() if n == study.name), *there]:
        place = study.folder / name if name in there else Path(name)
        found = load_study(place)
        if (found.index, found.designate) == (study.index, study.designate):
            return name, read_recipe(place)
    raise CommonwealError(
        f"A setting can be saved where the study is a file that has not changed; {study.name} is not."
    )


def _index(written: dict[str, Any], tree: Node) -> dict[str, Any]:
    """Give what an index says otherwise: the weights of its domains; one without weight is taken out."""
    kept = {name: weight for name, weight in tree.weights.items() if weight > 0}
    if written.get("preset"):
        if len(kept) == len(tree.weights):
            return {"weights": kept}
        # A preset has all of its domains: the tree is spelled out in its place.
        children = {
            name: tree.children[name].model_dump(mode="json", exclude_none=True) for name in kept
        }
        return dict.fromkeys(("preset", "indicators", "weights")) | {"children": children}
    return {
        "children": {name: {"weight": kept[name]} if name in kept else None for name in tree.weights}
    }  # fmt: skip
