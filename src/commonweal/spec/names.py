"""Every name that a recipe uses has to exist: indicators, indices, larger areas, designations."""

from __future__ import annotations

from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from commonweal.access.registers import load_registers
from commonweal.areas.catalogue import load_systems
from commonweal.errors import nearest
from commonweal.evidence import load_evidence
from commonweal.files.schema import FieldError
from commonweal.index.assumptions import KINDS, SmallCounts
from commonweal.index.prepare_spec import POPULATION
from commonweal.index.targets import first_fault
from commonweal.indicators.indicators import names_in
from commonweal.social_capital import load_framework
from commonweal.spec.data import OwnAreas, check_name
from commonweal.spec.fields import WHERE_OF_OWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.designation import Rule
    from commonweal.index.assumptions import Assumption
    from commonweal.index.prepare_spec import PrepareStep
    from commonweal.spec.fields import StudyFields

    Place = tuple[str | int, ...]


def check_names(study: StudyFields) -> None:
    """Check every name."""
    for index, spec in study.index.items():
        for path, node in spec.walk(index):
            place = ("index", *"/children/".join(path.split("/")).split("/"))
            for name in node.children:
                check_name(name, *place, "children")
            if node.indicator is not None:
                _indicator(study, node.indicator, *place, "indicator")
            for name in node.base:
                _indicator(study, name, *place, "base")
    _made(study)
    nodes = {p.replace("/", "."): n for i, s in study.index.items() for p, n in s.walk(i)}
    for named, at in paths_named(study):
        if named not in nodes:
            raise FieldError(f"index or domain '{named}' not found; {nearest(named, nodes)}", *at)
    for named in study.alike:
        if not any(f".{n}".endswith(f".{named}") for n in nodes):
            raise FieldError(
                f"index or domain '{named}' not found; {nearest(named, nodes)}", "alike", named
            )
    for k, a in enumerate(study.agreement):
        if a.designation and a.designation not in study.designate:
            raise FieldError(
                f"designation '{a.designation}' not found; "
                + nearest(a.designation, study.designate),
                *("agreement", k, "designation"),
            )
    if study.since and len(study.designate) != 1:
        raise FieldError(f"needs exactly one designation; found {len(study.designate)}", "since")
    _files(study)
    _replaced(study)
    _cites(study)
    _certainty(study)
    _sensitivity(study)
    _areas(study)
    for k, name in enumerate(study.show):
        _indicator(study, name, "show", k)
    for k, step in enumerate(study.prepare):
        _step(study, step, ("prepare", k, step.kind))


def _files(study: StudyFields) -> None:
    """Check that what is said once of a file is of one that the study reads."""
    read = study.named_files()
    for name in study.files:
        if name not in read:
            raise FieldError(
                f"no 'file' of the study is '{name}'; {nearest(name, read)}", "files", name
            )
    registers = study.access.registers or ()
    for k, name in enumerate(registers):
        if name not in (known := load_registers()):
            raise FieldError(
                f"register '{name}' not found; {nearest(name, known)}", "access", "registers", k
            )


def _replaced(study: StudyFields) -> None:
    """Check that what is replaced is read: by name, or as a register, areas, a link between them, a national figure."""
    if not study.replace:
        return
    read = _read_unnamed() | study.named_sources()
    for id_ in study.replace:
        if id_ not in read:
            near = nearest(id_, read)
            if not near.startswith("did you mean"):
                near = "expected one that is read; or take it out"
            raise FieldError(f"nothing in the study reads this source; {near}", "replace", id_)


@cache
def _read_unnamed() -> frozenset[str]:
    """Name the sources that a study may read without naming them: registers, areas, their links, national figures."""
    systems = load_systems()
    columns = [
        column
        for about in systems.systems.values()
        for column in (
            *(about.areas, *about.points, *about.boundaries, *about.populations.values()),
            *about.classes.values(),
            *([about.known_as] if about.known_as else ()),
        )
    ]
    series = [s for headline in load_framework().headlines.values() for s in headline.series]
    read = {x.source for x in (*columns, *systems.links, *series) if x.source}
    return frozenset(load_registers()) | read


def _cites(study: StudyFields) -> None:
    """Check that every citation is in the evidence library, which is read only if there is one."""
    if not study.cited():
        return
    works = load_evidence().works
    cites: list[tuple[Place, Sequence[str]]] = [(("briefing",), study.briefing.cites)]
    cites += [(("indicators", name), spec.cites) for name, spec in study.indicators.items()]
    for at, ids in cites:
        for k, id_ in enumerate(ids):
            if id_ not in works:
                found = f"'{id_}' is not in the evidence library; {nearest(id_, works)}"
                raise FieldError(found, *at, "cites", k)


def paths_named(study: StudyFields) -> Iterator[tuple[str, Place]]:
    """Yield each index or domain that is named outside 'index', with the field that names it."""
    for name, rule in study.designate.items():
        for at, part in _rules(rule, ("designate", name)):
            if part.condition:
                yield part.condition.index, (*at, "index")
            if part.at_most:
                yield part.at_most.by, (*at, "at_most", "by")
    for k, a in enumerate(study.agreement):
        if a.index:
            yield a.index, ("agreement", k, "index")


def _indicator(study: StudyFields, name: str, *at: str | int) -> None:
    if name not in study.indicators:
        raise FieldError(f"indicator '{name}' not found; {nearest(name, study.indicators)}", *at)


def _made(study: StudyFields) -> None:
    """Check the names that indicators use which are computed or carried."""
    systems = load_systems().systems
    made_of: dict[str, list[str]] = {}
    for name, spec in study.indicators.items():
        at = ("indicators", name)
        others: list[tuple[str, Place]] = []
        if spec.formula and not spec.reads:
            others += [(other, ("formula",)) for other in names_in(spec.formula, name)]
        if spec.per and spec.per != POPULATION:
            others.append((spec.per, ("per",)))
        whole = spec.complete
        if whole is not None and whole.of:
            others.append((whole.of, ("complete", "of")))
        for other, field in others:
            _indicator(study, other, *at, *field)
        made_of[name] = [other for other, _ in others]
        if whole is not None and whole.of:
            _larger(study, spec.areas, whole.areas, *at, "complete", "areas")
        published = whole.areas if whole is not None and not whole.of else ""
        named = [(spec.areas, "areas"), (published, "complete")]
        for system, key in named:
            if system and system not in systems:
                found = f"area system '{system}' not found; {nearest(system, systems)}"
                raise FieldError(found, *at, key)
        for system, key in ((spec.shrink, "shrink"), (named[1][0], "complete")):
            if system and spec.areas:
                _larger(study, spec.areas, system, *at, key)
    try:
        TopologicalSorter(made_of).prepare()
    except CycleError as error:
        way = error.args[1][::-1]
        raise FieldError(f"{' -> '.join(way)} leads back to itself", "indicators", way[0]) from None
    origins = study.access.origins
    if origins and origins not in {*systems, "postcodes"}:
        found = f"area system '{origins}' not found; {nearest(origins, [*systems, 'postcodes'])}"
        raise FieldError(found, "access", "origins")


def _rules(rule: Rule, at: Place) -> Iterator[tuple[Place, Rule]]:
    """Yield a rule and every rule below it, each with its place in the file."""
    yield at, rule
    for key, below in (("all", rule.all), ("any", rule.any)):
        for k, part in enumerate(below or ()):
            yield from _rules(part, (*at, key, k))
    if rule.not_:
        yield from _rules(rule.not_, (*at, "not"))


def _areas(study: StudyFields) -> None:
    systems = list(load_systems().systems)
    if isinstance(study.areas, OwnAreas):
        if study.where:
            raise FieldError(
                WHERE_OF_OWN,
                "where",
            )
        if study.population:
            raise FieldError(
                "goes with areas that ship; with a table of your own, 'population' under 'areas' names its column",
                "population",
            )
    elif study.areas not in systems:
        raise FieldError(
            f"area system '{study.areas}' not found; {nearest(study.areas, systems)}", "areas"
        )
    larger, of = list(load_systems().parents(str(study.areas))), f"those of {study.areas}"
    if isinstance(study.areas, OwnAreas):
        larger, of = list(study.areas.parents), "the larger areas under 'parents'"
    for parent in study.focus:
        if parent not in larger:
            raise FieldError(f"'{parent}' is not one of {of}; {nearest(parent, larger)}", "focus")
    for index in study.index:
        system = study.built_on(index)[0]
        if system and system not in systems:
            raise FieldError(
                f"area system '{system}' not found; {nearest(system, systems)}",
                *("index", index, "areas"),
            )
    for name, rule in study.designate.items():
        for at, part in _rules(rule, ("designate", name)):
            if part.condition and part.condition.within:
                _larger(study, "", part.condition.within, *at, "within")
            if part.at_most:
                _larger(study, "", part.at_most.within, *at, "at_most", "within")


def _larger(study: StudyFields, system: str, name: str, *at: str | int) -> None:
    """Check a larger area or a class of the study's areas, or of the system that is given."""
    known = load_systems()
    if not system and isinstance(study.areas, OwnAreas):
        larger, what = set(study.areas.parents), "the larger areas under 'parents'"
    else:
        system = system or str(study.areas)
        larger = {*known.parents(system), *known.system(system).classes}
        what = f"those of {system}"
    if name not in larger:
        raise FieldError(f"'{name}' is not one of {what}; {nearest(name, larger)}", *at)


def _certainty(study: StudyFields) -> None:
    if not study.certainty or not study.certainty.draws:
        return
    if not study.designate:
        raise FieldError("needs something under 'designate'", "certainty")
    _can_vary(study, study.certainty.vary, "certainty")


def _sensitivity(study: StudyFields) -> None:
    if not study.sensitivity:
        return
    if not study.designate:
        raise FieldError("needs something under 'designate'", "sensitivity")
    if study.sensitivity.vary or not (study.certainty and study.certainty.vary):
        _can_vary(study, study.sensitivity.vary, "sensitivity")
    else:
        _can_vary(study, study.certainty.vary, "certainty")


def _can_vary(study: StudyFields, vary: Sequence[Assumption], part: str) -> None:
    """Check that each assumption has something to act on."""
    if not vary:
        raise FieldError(f"nothing varies; expected a list of {', '.join(KINDS)}", part, "vary")
    for k, assumption in enumerate(vary):
        if (study.prepare or study.panel) and isinstance(assumption, SmallCounts):
            other = "prepare" if study.prepare else "panel"
            raise FieldError(
                f"'{other}' changes the rates that the counts are of; leave one of the two out",
                *(part, "vary", k, "counts"),
            )
    shrunk = {name for step in study.prepare if step.shrink for name in step.of}
    errors = [
        n
        for n, spec in study.indicators.items()
        if spec.standard_error or spec.shrink or n in shrunk
    ]
    counts = [n for n, spec in study.indicators.items() if spec.counts]
    fault = first_fault(vary, study.index, errors, counts)
    if fault is not None:
        k, error = fault
        key = next(key for key, kind in KINDS.items() if isinstance(vary[k], kind))
        raise FieldError(str(error), part, "vary", k, "node" if key == "setting" else key)


def _step(study: StudyFields, step: PrepareStep, at: Place) -> None:
    for i, name in enumerate(step.of):
        _indicator(study, name, *at, "of", i)
        if step.shrink and not step.shrink.at_risk and not study.indicators[name].standard_error:
            raise FieldError(
                f"'{name}' states no standard_error; expected one, or 'at_risk' for counts",
                *(*at, "of", i),
            )
    for key, name in step.helpers():
        _indicator(study, name, *at, key)
    for name in step.treat.each if step.treat else ():
        _indicator(study, name, *at, "each", name)
        if step.of and name not in step.of:
            raise FieldError("not among those under 'of', which are treated", *at, "each", name)
    touched = [i for i in study.index if not step.of or set(step.of) & set(study.read_with(i))]
    for key in ("group", "to"):
        name = getattr(step.spec, key, "")
        for system in dict.fromkeys(study.built_on(index)[0] for index in touched):
            if name:
                _larger(study, system, name, *at, key)
    for key in ("by", "at_risk", "sizes"):
        if getattr(step.spec, key, "") != POPULATION:
            continue
        if POPULATION in study.indicators:
            raise FieldError(
                "the residents of the areas, or the indicator of that name? Call the indicator "
                "something else",
                *at,
                key,
            )
        here = any(not study.built_on(index)[0] for index in touched)
        if here and isinstance(study.areas, OwnAreas) and not study.areas.population:
            raise FieldError("the areas state no 'population'; expected its column there", *at, key)
