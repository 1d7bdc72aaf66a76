"""The kinds of input, for ``--as``."""

from __future__ import annotations

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["auto", "prose", "log", "csv", "tsv", "md", "html", "srt", "json"]
