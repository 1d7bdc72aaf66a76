"""How often the language of a line is told wrongly, and after how many of its words.

    python -m benchmarks.languages

Lines of ``../shared/data/test`` through what ``lsg translate --from auto`` uses, with the languages
of all embedded directions, or of one pair: then a line in another language is none of them.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lsgcli.text.language import LanguageDetector, Router
from lsgcli.text.words import Language, Word

DATA = Path(__file__).parents[2] / "shared" / "data" / "test"
SETS = ("tatoeba.en-de", "tatoeba.en-fr", "tatoeba.en-es", "po-messages.en-de")


def lines() -> list[tuple[str, str]]:
    """Lines and their languages: all of the other languages, 200 English ones of each set."""
    found = []
    for name in SETS:
        for language in name.partition(".")[2].split("-"):
            texts = (DATA / f"{name}.{language}").read_text(encoding="utf-8").splitlines()
            most = 200 if language == "en" and name.startswith("tatoeba") else None
            found += [(text, language) for text in texts[:most]]
    return found


def told(line: str, detector: LanguageDetector) -> tuple[str, int]:
    """The language that is told, and the words it took."""
    router, words = Router(detector), line.split()
    for number, word in enumerate(words, 1):
        for item in router.feed([Word(word)]):
            if isinstance(item, Language):
                return item.code, number
    codes = [item.code for item in router.flush() if isinstance(item, Language)]
    return codes[0] if codes else "", len(words)


def main() -> None:
    """Print a line for each choice of languages."""
    data = lines()
    for chosen in (["de", "en", "es", "fr"], ["de", "en"], ["en", "fr"], ["en", "es"]):
        detector = LanguageDetector(chosen)
        results = [(text, language, *told(text, detector)) for text, language in data]
        wrong = [
            (language, code)
            for _, language, code, _ in results
            if code != (language if language in chosen else "")
        ]
        words = sum(taken for *_, taken in results) / len(results)
        kinds = ", ".join(f"{a}→{b or 'none'} {n}" for (a, b), n in Counter(wrong).most_common())
        print(
            f"{' '.join(chosen)}: {len(wrong)} of {len(results)} wrong ({kinds}); {words:.2f} words"
        )


if __name__ == "__main__":
    main()
