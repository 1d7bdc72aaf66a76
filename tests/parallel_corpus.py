"""A test set for tests: the sentences, references made up for them, and a run of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentences import SENTENCES

if TYPE_CHECKING:
    from pathlib import Path

REFERENCES = [
    "Das Haus ist klein und der Garten dahinter ist sehr groß.",
    "Ich glaube, dass meine Eltern etwas vor mir verbergen.",
    "Wo hast du dieses alte Buch über Züge gekauft?",
    "Sie sagte, sie würde morgen kommen, wenn es nicht regnet.",
    "Bitte schließe das Fenster, bevor du das Zimmer verlässt.",
    "Er arbeitet seit mehr als zehn Jahren in dieser Stadt.",
    "Wir können die Datei nicht öffnen, weil ein anderes Programm sie benutzt.",
    "Mein Bruder will kochen lernen.",
    "Guten Morgen!",
    "Ja.",
    "Der Zug in die Stadt fährt um neun Uhr morgens ab.",
    "Warum vergisst du deine Schlüssel immer zu Hause?",
    "Am Wetter können wir nichts ändern.",
    "Hätte ich mehr Zeit, würde ich all diese Bücher noch einmal lesen.",
    "Der Server war nicht erreichbar, also wurde das Update abgebrochen.",
    "Sie haben in ihrem ganzen Leben noch nie so viel Schnee gesehen.",
]


def write_corpus(directory: Path, times: int = 1) -> tuple[str | Path, ...]:
    """Write the test set, so many times over; give the options that name it."""
    source, target = directory / "source.en", directory / "target.de"
    source.write_text("\n".join(SENTENCES * times) + "\n", encoding="utf-8")
    target.write_text("\n".join(REFERENCES * times) + "\n", encoding="utf-8")
    return ("--source", source, "--target", target, "--to", "de")
