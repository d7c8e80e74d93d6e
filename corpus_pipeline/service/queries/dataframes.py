"""Rows and sums as pandas data frames, for notebooks: to look, to group, to plot. The jobs themselves use none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from corpus_pipeline.service.queries.rows import Listing

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 1000
Page = Callable[[int, int], Listing]  # (behind this row number, at most this many) -> rows


def frame(page: Page, most: int) -> pd.DataFrame:
    """One line a row, in row order: index `row` ("file:number"), columns as `corpus rows --json` names them, `turns` a list
    of dictionaries, and `characters`, the length of all texts of the row."""
    import pandas as pd  # a second that only who wants a frame waits for

    found = pd.DataFrame(list(_rows(page, most)))
    if found.empty:
        return found
    found["characters"] = [
        sum(len(value) for turn in turns for value in turn.values() if isinstance(value, str))
        for turns in found["turns"]
    ]
    return found.set_index("row")


def _rows(page: Page, most: int) -> Iterator[Mapping[str, Any]]:
    after: int | None = 0
    left = most
    while left > 0 and after is not None:
        rows, after = page(after, min(_PAGE, left))
        yield from rows[:left]
        left -= len(rows)
