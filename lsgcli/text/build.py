"""Builds the pipeline for text from models and options."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lsgcli.languages import UNSPACED
from lsgcli.text import memory
from lsgcli.text.feed import Feed
from lsgcli.text.items import Finder
from lsgcli.text.language import LanguageDetector, Router
from lsgcli.text.line.reader import Reader
from lsgcli.text.line.sentences import Cutter
from lsgcli.text.line.translate import Route
from lsgcli.text.pipeline import Pipeline
from lsgcli.text.protect import Protector
from lsgcli.text.segmenter import Limits, Segmenter
from lsgcli.text.structure.planner import WHOLE, Planner
from lsgcli.text.units import Divider, UnitSplitter
from lsgcli.text.words import WordSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lsgcli.core.backend import TextBackend
    from lsgcli.core.session import Observer
    from lsgcli.models.catalog import Model
    from lsgcli.models.directions import Directions
    from lsgcli.models.manifest import TextManifest
    from lsgcli.output.base import TranslationWriter
    from lsgcli.policy.spec import PolicySettings
    from lsgcli.text.options import TextOptions
    from lsgcli.text.recording import Chunks
    from lsgcli.text.words import Splitter


def build(
    directions: Directions,
    backends: Mapping[str, TextBackend],
    policy: PolicySettings,
    options: TextOptions,
    chunks: Chunks,
    writer: TranslationWriter,
    observers: tuple[Observer, ...] = (),
    *,
    preview: bool = False,
) -> Pipeline:
    """Connect the parts; ``backends`` are those of the models, by language.

    Raises UsageError, ModelError.
    """
    by_character = directions.by_character
    protect = options.protect and not by_character
    routes, limits = dict[str, Route](), dict[str, Limits]()
    for language, model in directions.models.items():
        backend = backends[language]
        backend.ready()
        manifest = model.manifest
        limits[language] = Limits(
            tokens=manifest.max_source_tokens,
            count=backend.count,
            language=model.source,
            sentences=manifest.sentences,
            characters=by_character,
            divide=None if by_character else _divider(model),
        )
        routes[language] = Route(
            policy.policy(model.policy),
            backend,
            manifest.placeholders,
            manifest.capitals,
            model.policy.floor if options.own_floor else options.floor,
            memory.of_direction(
                model.source,
                directions.target,
                options.memory,
                phrases=options.phrases and not by_character,
            ),
            limits[language].units,
            model.source,
        )
    whole = options.kind in WHOLE
    feed = Feed(
        chunks,
        Segmenter(
            next(iter(limits.values())),
            "line" if options.by_line else "sentence",
            Protector(options.patterns) if protect else None,
            limits,
        ),
        bulk=options.bulk,
        lines=(protect and options.by_line and options.bulk) or whole,
        hold=whole,
        split=_splitter(directions, by_character=by_character),
        idle=options.idle or None,
        strict=options.strict,
        encoding=options.encoding,
        router=_router(directions, options) if directions.told else None,
    )
    reader = _reader(options, limits) if protect else None
    return Pipeline(
        feed, routes, writer, observers, target=directions.target, reader=reader, preview=preview
    )


def _divider(model: Model[TextManifest]) -> Divider | None:
    """Return what divides a source without spaces."""
    if model.source not in UNSPACED:
        return None
    return Divider(model.source, characters=model.manifest.source_unit == "character")


def _splitter(directions: Directions, *, by_character: bool) -> Callable[[], Splitter]:
    """Return what makes a splitter for the source languages."""
    if by_character:
        return partial(WordSplitter, characters=True)
    dividers = list(filter(None, map(_divider, directions.models.values())))
    if not dividers:
        return WordSplitter
    one = dividers[0] if len(directions.models) == 1 else Divider()
    return partial(UnitSplitter, one)


def _router(directions: Directions, options: TextOptions) -> Router:
    languages = [*directions.models, directions.target]
    return Router(LanguageDetector(languages), by_line=options.by_line)


def _reader(options: TextOptions, limits: Mapping[str, Limits]) -> Reader:
    """Return what finds the prose in lines, for each language."""
    cutters = {
        language: Cutter(
            Finder(options.patterns, limit.spells, unspaced=limit.divide is not None),
            limit,
            language,
        )
        for language, limit in limits.items()
    }
    unspaced = any(limit.divide for limit in limits.values())
    find = Finder(options.patterns, unspaced=unspaced)
    return Reader(Planner(find, options.kind, options.json_fields), cutters)
