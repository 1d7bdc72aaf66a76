"""Language detection: by the first words of a line, which wait until it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.errors import UsageError
from lsgcli.scripts import CLOSING, OPENING
from lsgcli.text.words import Language, Newline, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lsgcli.text.words import Item

SURE = 0.9  # probability from which a language is taken without waiting for more words
NEAR = ("de", "en", "es", "fr")  # distinguished also where not all of them are translated
ELSE = 1e-2  # probability of all candidates, below which a text is in none of them
ENOUGH = 24  # characters from which that is decided without waiting
MOST = 32  # words that wait, at most
AROUND = f"()[]{{}}<>\"'“”‘’„«».,;:!?…¿¡-–—{CLOSING}{OPENING}"
INSIDE = str.maketrans("", "", "'’-")


class LanguageDetector:
    """Naive Bayes over the bytes of a text, for about a hundred languages (py3langid)."""

    def __init__(self, languages: Iterable[str]) -> None:
        """Choose among these languages; a text in another is in none of them.

        Raises UsageError if it knows fewer than two of them.
        """
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        self._all = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        wanted = set(languages)
        self._chosen = wanted & {language for language, _ in self._all.rank("")}
        if len(self._chosen) < 2:
            raise UsageError(
                f"--from auto cannot tell {' and '.join(sorted(wanted))} apart; name the language"
            )
        self._told = self._chosen.union(NEAR)

    def __call__(self, text: str) -> tuple[str, bool]:
        """Return the likeliest language and whether that is certain; ``""`` is none of them."""
        among = [(name, float(p)) for name, p in self._all.rank(text) if name in self._told]
        (likeliest, p), total = among[0], sum(p for _, p in among)
        if total < ELSE:
            return "", len(text) >= ENOUGH
        return likeliest if likeliest in self._chosen else "", p > SURE * total


class Router:
    """Puts a line's language before its words.

    ``by_line``: each line has its own; otherwise each paragraph, up to an empty line.
    """

    def __init__(self, detect: Callable[[str], tuple[str, bool]], *, by_line: bool = True) -> None:
        """Use ``detect``, which returns a language and whether it is certain."""
        self._detect = detect
        self._by_line = by_line
        self._held: list[Word] = []
        self._told = False
        self._line_empty = True

    def feed(self, items: Iterable[Item]) -> Iterator[Item]:
        """Take items, yield those whose language is known."""
        for item in items:
            if isinstance(item, Newline):
                yield from self.flush()
                yield item
                self._told &= not (self._by_line or self._line_empty)
                self._line_empty = True
                continue
            self._line_empty = False
            if self._told or not isinstance(item, Word):
                yield item
                continue
            self._held.append(item)
            text = prose(self._held)
            language, sure = self._detect(text) if text else ("", False)
            if sure or len(self._held) >= MOST:
                yield from self._release(language)

    def pending(self) -> bool:
        """Whether words wait."""
        return bool(self._held)

    def flush(self) -> Iterator[Item]:
        """Decide by the words so far: no more arrive, at least for now."""
        if self._held:
            text = prose(self._held) or prose(self._held, capitals=True)
            yield from self._release(self._detect(text)[0] if text else "")

    def _release(self, language: str) -> Iterator[Item]:
        yield Language(language)
        yield from self._held
        self._held, self._told = [], True


def prose(words: Iterable[Word], *, capitals: bool = False) -> str:
    """Return the words by which a language can be detected: letters, but no ``ERROR`` and the like.

    >>> prose([Word("ERROR"), Word("[main]"), Word("Can't"), Word("open"), Word("/tmp/x1:")])
    "main Can't open"
    """
    cores = (word.text.strip(AROUND) for word in words)
    return " ".join(
        core
        for core in cores
        if core.translate(INSIDE).isalpha() and (capitals or len(core) == 1 or not core.isupper())
    )
