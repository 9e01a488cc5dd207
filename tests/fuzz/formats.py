"""Every fuzzer by its name."""

from __future__ import annotations

from tests.fuzz import data_files, definitions, outlines, plans, studies

FUZZERS = {
    fuzzer.name: fuzzer
    for room in (studies, plans, definitions, data_files, outlines)
    for fuzzer in room.FUZZERS
}
