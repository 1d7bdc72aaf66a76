"""Builds the pipeline for text from models and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsgcli.core.backend import TextBackend
    from lsgcli.core.session import Observer
    from lsgcli.models.directions import Directions
    from lsgcli.output.base import TranslationWriter
    from lsgcli.policy.spec import PolicySettings
    from lsgcli.text.options import TextOptions
    from lsgcli.text.recording import Chunks


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
        )
        limits[language] = Limits(
            tokens=manifest.max_source_tokens,
            count=backend.count,
            language=model.source,
            sentences=manifest.sentences,
            characters=by_character,
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
        characters=by_character,
        idle=options.idle or None,
        strict=options.strict,
        encoding=options.encoding,
        router=_router(directions, options) if directions.told else None,
    )
    reader = _reader(options, limits) if protect else None
    return Pipeline(feed, routes, writer, observers, reader=reader, preview=preview)


def _router(directions: Directions, options: TextOptions) -> Router:
    languages = [*directions.models, directions.target]
    return Router(LanguageDetector(languages), by_line=options.by_line)


def _reader(options: TextOptions, limits: Mapping[str, Limits]) -> Reader:
    """Return what finds the prose in lines, for each language."""
    cutters = {
        language: Cutter(Finder(options.patterns, limit.spells), limit, language)
        for language, limit in limits.items()
    }
    return Reader(Planner(Finder(options.patterns), options.kind, options.json_fields), cutters)
