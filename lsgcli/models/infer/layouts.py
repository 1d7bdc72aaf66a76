"""How the families of encoder-decoders lay out source and target."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsgcli.errors import UsageError
from lsgcli.languages import NAMES, NLLB

if TYPE_CHECKING:
    from collections.abc import Collection

SOURCE, TARGET = "{source}", "{target}"
MBART_CODE = re.compile(r"([a-z]{2,3})_[A-Z]{2}")
M2M_CODE = re.compile(r"__([a-z]{2,3})__")
MADLAD_CODE = re.compile(r"<2([a-z]{2,3})>")


@dataclass(frozen=True)
class Layouts:
    """Parts of both sides, and the languages the model has tokens for."""

    source: list[str]
    target: list[str] = field(default_factory=lambda: [TARGET])
    codes: dict[str, str] = field(default_factory=dict)


def layouts(
    kind: str, tokens: Collection[str], *, end: str, has_start: bool, to: str | None
) -> Layouts:
    """Tell a family's layout.

    Args:
        kind: Hugging Face's ``model_type``.
        tokens: the model's vocabulary, by which NLLB and M2M-100 or T5 and MADLAD are told apart.
        end: the end token, which Marian, M2M-100, NLLB, mBART and T5 want behind the source too.
        has_start: whether the decoder begins with a token that is no language.
        to: the target language that was asked for, if any.

    Raises:
        UsageError: for an architecture whose layout is not known.

    """
    known = set(tokens)
    if kind == "marian":
        return Layouts([*_marian_language(known, to), SOURCE, end])
    if kind == "m2m_100":
        if codes := _named(M2M_CODE, known):
            return Layouts(["__{from}__", SOURCE, end], ["__{to}__", TARGET], codes)
        codes = {code: name for code, name in NLLB.items() if name in known}
        return Layouts(["{from}", SOURCE, end], ["{to}", TARGET], codes)
    if kind == "mbart":
        codes = {code: name for name, code in _found(MBART_CODE, known)}
        source = ["{from}", SOURCE, end] if has_start else [SOURCE, end, "{from}"]
        return Layouts(source, ["{to}", TARGET], codes)
    if kind in ("t5", "mt5", "umt5"):
        if codes := _named(MADLAD_CODE, known):
            return Layouts(["<2{to}>", SOURCE, end], codes=codes)
        return Layouts(["translate {from_name} to {to_name}:", SOURCE, end])
    raise UsageError(
        f"models of type {kind!r} are not known here: convert with ct2-transformers-converter and "
        "write the manifest by hand (README.md)"
    )


def family(tokens: Collection[str], *, pair: bool) -> str:
    """Tell Hugging Face's ``model_type`` by the vocabulary; ``pair``: a tokenizer for each side.

    Raises UsageError.
    """
    known = set(tokens)
    if pair:
        return "marian"
    if "eng_Latn" in known or "__en__" in known:
        return "m2m_100"
    if "en_XX" in known:
        return "mbart"
    if "<extra_id_0>" in known or _named(MADLAD_CODE, known):
        return "t5"
    raise UsageError(
        "the family of this encoder-decoder is not known here: write its manifest by hand "
        "(README.md), or convert the original: lsg models convert"
    )


def _found(pattern: re.Pattern[str], tokens: Collection[str]) -> list[tuple[str, str]]:
    matches = (pattern.fullmatch(token) for token in sorted(tokens))
    return [(match[0], match[1]) for match in matches if match]


def _named(pattern: re.Pattern[str], tokens: Collection[str]) -> dict[str, str]:
    """Languages that go by their own codes."""
    return {code: code for _, code in _found(pattern, tokens)}


def _marian_language(tokens: set[str], to: str | None) -> list[str]:
    """The token that tells a Marian with several target languages which one is wanted."""
    if not any(token.startswith(">>") and token.endswith("<<") for token in tokens):
        return []
    long = NLLB.get(to or "", "").split("_")[0]
    for name in (to, long):
        if f">>{name}<<" in tokens:
            return [f">>{name}<<"]
    has = ", ".join(sorted(token for token in tokens if token.startswith(">>")))
    raise UsageError(f"--to is missing or not known to this model (to {to}); it has {has}")


def names(codes: Collection[str]) -> dict[str, str]:
    """English names of languages."""
    return {code: NAMES[code] for code in codes if code in NAMES}
