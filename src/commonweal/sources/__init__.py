"""Where the numbers come from: the catalogue, fetching with checksums, and readers for each format.

Nothing heavy is imported until a table is read.

>>> from commonweal import sources
>>> sources.Store().source("county-areas").publisher
'Commonweal (generated)'
"""

from __future__ import annotations

from commonweal.sources.catalogue import Source
from commonweal.sources.store import Store

__all__ = [
    "Source",
    "Store",
]
