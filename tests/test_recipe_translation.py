"""The recipe of translation models: what it reads, and a tiny model from text to ``lsg``."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import environment, run_lsg

from lsgcli.policy.levels import Level, Levels, Thresholds

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "models" / "recipes" / "translation"
SEED = ROOT / "models" / "en-de"
needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs torch")

THINGS = {"house": "Haus", "dog": "Hund", "tree": "Baum", "book": "Buch", "man": "Mann"}
QUALITIES = {"small": "klein", "old": "alt", "good": "gut", "red": "rot", "new": "neu"}


def module(name, recipe=RECIPE):
    """One of a recipe's modules; the tests have some of those names too."""
    spec = importlib.util.spec_from_file_location(f"recipe_{name}", recipe / f"{name}.py")
    assert spec
    assert spec.loader
    loaded = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(recipe)
        spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def corpus():
    """What is read."""
    return module("corpus")


@pytest.fixture(scope="module")
def variety():
    """What is changed."""
    return module("variety")


@pytest.fixture(scope="module")
def written():
    """What is made of templates."""
    return module("written")


@pytest.fixture
def data(tmp_path):
    """Some pairs, and one that is kept for tests."""
    lines = [
        f"toy\tThe {thing} number {n} is {quality}.\tDas {ding} Nummer {n} ist {eigenschaft}."
        for n in range(1, 25)
        for thing, ding in THINGS.items()
        for quality, eigenschaft in QUALITIES.items()
    ]
    lines += ["toy\tFailed to open %s now.\t%s konnte nicht geöffnet werden."] * 2
    with gzip.open(tmp_path / "toy.en-de.tsv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "x.en-de.en").write_text("The house NUMBER 3 is small\n")
    return tmp_path


def test_pairs_are_read_with_their_languages(corpus, data):
    pairs = list(corpus.read(data / "toy.en-de.tsv.gz"))
    assert pairs[0].origin == "toy"
    assert pairs[0].languages == ("en", "de")
    assert pairs[0].texts == ("The house number 1 is small.", "Das Haus Nummer 1 ist klein.")
    assert corpus.key(pairs[0].texts[0]) == "the house number 1 is small"
    assert corpus.keys([data / "held"]) == {"the house number 3 is small"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("plain.tsv", "a\tb\tc\n", "must end with the languages"),
        ("x.en-de.tsv", "a\tb\n", "x.en-de.tsv:1: 2 columns instead of 3"),
    ],
)
def test_a_file_that_is_not_as_it_should_be(corpus, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit, match=message):
        list(corpus.read(tmp_path / name))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("A small house.", "Ein kleines Haus.", True),
        ("Not translated at all", "Not translated at all", False),
        ("OK", "OK", True),
        ("", "x", False),
        ("12:30", "12:30", False),
        ("Yes", "Ja, das ist eine sehr lange Antwort auf die Frage", False),
    ],
)
def test_what_is_a_pair(corpus, first, second, expected):
    assert corpus.sound(corpus.Pair("x", ("en", "de"), (first, second))) is expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (
            "Failed to open %s: %d",
            "%s: %d konnte nicht geöffnet werden",
            ("Failed to open {0}: {1}", "{0}: {1} konnte nicht geöffnet werden"),
        ),
        ("Save /tmp/x", "Speichern", None),
        ("Save it", "Speichern", None),
        ("Use %s and %s", "Nimm %s und %s", None),
    ],
)
def test_protected_words_become_placeholders(corpus, first, second, expected):
    assert corpus.masked((first, second)) == expected


def test_weights_follow_the_kind(corpus):
    weights = corpus.Weights(sentences=1.0, messages=0.5, manuals=0.1, labels=0.4).by_kind()

    def weight(origin, text, extra):
        return weights[corpus.kind(corpus.Pair(origin, ("en", "de"), (text, "x")), extra=extra)]

    assert weight("tatoeba", "Hi", False) == 1.0
    assert weight("jabref", "Save the file now", False) == 0.5
    assert weight("php-doc", "Save the file now", True) == 0.1
    assert weight("jabref", "Save", False) == 0.5 * 0.4


def train(data, output, *options):
    return subprocess.run(
        [
            *(sys.executable, RECIPE / "train.py", "--preset", "tiny", "--work", data / "work"),
            *("--data", data / "toy.en-de.tsv.gz", "--held-out", data / "held"),
            *("--output", output, *options),
        ],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=str(ROOT)),
    )


@needs_torch
def test_from_text_to_lsg(data):
    first = train(data, data / "model", "--steps", "20")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout.splitlines()[0])["left out"]["held out"] == 1
    again = train(data, data / "model", "--steps", "40")
    assert again.returncode == 0, again.stderr
    assert '"from step": 20' in again.stdout
    result = json.loads(again.stdout.splitlines()[-1])
    assert result["steps"] == 40
    assert result["float32 logits differ by"] < 1e-3
    for to, line in (("de", "The house is small."), ("en", "Das Haus ist klein.")):
        done = run_lsg("translate", "--model", data / "model", "--to", to, stdin=line.encode())
        assert (done.code, done.stderr) == (0, "")
    start = train(
        *(data, data / "third", "--steps", "1", "--muon", "0", "--adam", "0", "--fall", "0.5"),
        *("--start", data / "work" / "checkpoint.0.pt", "--pieces", data / "work" / "spm.model"),
        *("--work", data / "elsewhere"),
    )
    assert start.returncode == 0, start.stderr
    models = [(data / name / "model.bin").read_bytes() for name in ("model", "third")]
    assert models[0] == models[1]  # begun with what the checkpoint has, exactly, and not moved
    other = train(data, data / "model", "--steps", "50", "--width", "64")
    assert other.returncode == 1
    assert "was made with other settings" in other.stderr


def evaluate(model, data):
    return subprocess.run(
        [
            *(sys.executable, RECIPE / "evaluate.py", "--model", model, "--data", data, "--card"),
            *("--directions", "en-de", "--levels", "tatoeba"),
        ],
        capture_output=True,
        encoding="utf-8",
        env=environment(PYTHONPATH=str(ROOT), PYTHONUTF8="1"),
    )


def test_measures_go_into_the_card(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(SEED, model)
    lines = {
        "en": "The house is small.\nFailed to open %s: %s\n",
        "de": "Das Haus ist klein.\n%s: %s nicht zu öffnen\n",
    }
    (tmp_path / "test").mkdir()
    for language, text in lines.items():
        (tmp_path / "test" / f"tatoeba.en-de.{language}").write_text(text, encoding="utf-8")
    before = (model / "README.md").read_text(encoding="utf-8")
    done = evaluate(model, tmp_path)
    assert done.returncode == 0, done.stderr
    after = (model / "README.md").read_text(encoding="utf-8")
    assert "| en→de | tatoeba |" in after
    assert "| 2 of 2 | 0 |" in after
    assert "de→en" not in re.sub(r"(?m)^[^|].*$", "", after)  # in its tables
    prose = [line for line in before.splitlines() if not line.startswith("|")]
    assert [line for line in after.splitlines() if not line.startswith("|")] == prose
    (model / "README.md").unlink()
    done = evaluate(model, tmp_path)
    assert done.returncode == 0, done.stderr
    plain = (model / "README.md").read_text(encoding="utf-8")
    assert plain.startswith("# model\n\nDirections: en→de, de→en.")
    tables = re.compile(r"(?m)^\|.*$")
    assert tables.findall(plain) == tables.findall(after)
    rows = [row.split(" | ") for row in tables.findall(plain)]
    (wait,) = (row for row in rows if row[1] == "wait-1")
    assert float(wait[2]) == pytest.approx(1.0, abs=1)
    assert any(row[1].startswith("LSG `low`") for row in rows)
    assert "| `🎉🎉🎉` | `🎉🎉🎉` |" in plain


def test_a_card_without_the_tables_is_refused(tmp_path):
    card = module("card")
    (tmp_path / "README.md").write_text("# A model\n")
    results = card.Results()
    results.rows[card.ANSWERS].append(("a|b", "c"))
    with pytest.raises(SystemExit, match=r"no table with the columns \| in \| out \|"):
        card.write(tmp_path, results)
    (tmp_path / "README.md").write_text("# A model\n\n| in | out |\n|---|---|\n| x | y |\n\nEnd.\n")
    card.write(tmp_path, results)
    expected = "# A model\n\n| in | out |\n| --- | --- |\n| a\\|b | c |\n\nEnd.\n"
    assert (tmp_path / "README.md").read_text() == expected


def test_levels_that_are_one_are_named_together():
    level = Level(lower=3, upper=2, delta=8.0, alpha=0.7)
    levels = Levels(medium=level, high=level)
    assert module("card").level_titles(Thresholds(delta=1.0, alpha=0.6, levels=levels)) == {
        "lsg-L1-U4-delta1-alpha0.6": "LSG `low`: [1, 4] δ=1 α=0.6",
        "lsg-L3-U2-delta8-alpha0.7": "LSG `medium`, `high`: [3, 2] δ=8 α=0.7",
        "lsg-L7-U6-delta1-alpha0.6": "LSG `highest`: [7, 6] δ=1 α=0.6",
    }


@needs_torch
def test_one_command_from_text_to_levels_and_card(data):
    for folder in ("dev", "test"):
        (data / folder).mkdir()
        for language, text in {"en": "The book is red.\n", "de": "Das Buch ist rot.\n"}.items():
            (data / folder / f"tatoeba.en-de.{language}").write_text(text)
    done = train(data, data / "model", "--steps", "250", "--evaluate", data)
    assert done.returncode == 0, done.stderr
    for level in ("low", "medium", "high", "highest"):
        assert f"de-en {level}: " in done.stdout  # its thresholds, or that nothing is fast enough
    assert "| de→en | wait-1 |" in (data / "model" / "README.md").read_text(encoding="utf-8")


CUTS = """
import sys
from pathlib import Path
import numpy as np
from align import Aligned, _needs
from batches import Batches, Mix
from corpus import Weights
from prepare import Encoded
from vocabulary import Vocabulary

words = Vocabulary(Path(sys.argv[1]))
texts = ["I have seen the old house.", "Ich habe das alte Haus gesehen."]
ids = [words.encode([text])[0] for text in texts]
starts = np.array([0, len(ids[0]), len(ids[0]) + len(ids[1])])
pairs = np.array([[1, 0]], np.uint8)
encoded = Encoded(["de", "en"], np.array(sum(ids, []), np.uint16), starts, pairs, np.zeros(1, int))
links = {(0, 0), (1, 1), (2, 5), (3, 2), (4, 3), (5, 4)}
needs = [_needs(6, {(j, i) for i, j in links}), _needs(6, links)]
aligned = Aligned(np.concatenate(needs), np.array([0, 6, 12]))
mix = Mix(1.0, "alignment", ended=float(sys.argv[2]), copies=0.0, bare=0.0)
batches = Batches(
    encoded, words, Weights(), mix, tokens=200, workers=1, seed=1, aligned=aligned
)
seen = set()
for epoch in range(40):
    for batch, in batches._epoch(epoch):
        for example, _ in batch:
            seen.add(words.pieces.decode(example) + chr(9) + str(example[-1] == words.end))
print(chr(10).join(sorted(seen)))
"""


@needs_torch
@pytest.mark.parametrize("ended", [0, 1])
def test_prefixes_hold_what_is_linked_to_what_was_read(ended):
    """Of a target as much as its source prefix justifies: the verb at the end waits for all."""
    done = subprocess.run(
        [sys.executable, "-c", CUTS, SEED / "spm.model", str(ended)],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=f"{ROOT}:{RECIPE}"),
    )
    assert done.returncode == 0, done.stderr
    lines = [line.replace("<sep>", "|").split("\t") for line in done.stdout.splitlines()]
    assert {line for line, last in lines if last == "True"} == {
        line for line, _ in lines if ended or line.endswith(".")
    }
    seen = [line for line, _ in lines]
    german = {line for line in seen if "<2de>" in line}
    assert any(line.endswith("I have| Ich habe") for line in german), german
    assert any(line.endswith("I have seen| Ich habe") for line in german)
    assert any(line.endswith("I have seen the old| Ich habe das alte") for line in german)
    assert not any("gesehen" in line and "house." not in line for line in german)
    english = {line for line in seen if "<2en>" in line}
    assert any(line.endswith("Ich habe das alte Haus| I have") for line in english), english


def test_phrases_are_shown_as_they_are_typed(corpus, tmp_path):
    table = tmp_path / "phrases.tsv"
    table.write_text(
        "en\tde\tes\nHow are you?\tWas?\t\u00bfQu\u00e9 tal?\nSave\tSpeichern\tGuardar\n"
    )
    pairs = list(corpus.phrases(table, [("en", "es"), ("en", "de")]))
    assert [pair.texts for pair in pairs[:5]] == [
        ("How are you?", "\u00bfQu\u00e9 tal?"),
        ("How are you", "Qu\u00e9 tal"),
        ("how are you", "qu\u00e9 tal"),
        ("Save", "Guardar"),
        ("save", "guardar"),
    ]
    assert {pair.languages for pair in pairs[5:]} == {("en", "de")}
    kinds = {corpus.kind(pair, extra=True) for pair in pairs}
    assert corpus.Weights(phrases=7).by_kind()[kinds.pop()] == 7
    assert not kinds


def test_phrases_about_somebody_come_with_several_names(corpus, tmp_path):
    table = tmp_path / "phrases.tsv"
    table.write_text("en\tde\nHello <name>,\tHallo <name>,\n")
    pairs = [pair.texts for pair in corpus.phrases(table, [("en", "de")])]
    found = [re.fullmatch(r"(?i)hello (\w+),?", first) for first, _ in pairs]
    names = {match[1] for match in found if match}
    assert all(found)
    assert len({name.lower() for name in names}) > corpus.NAMED / 3
    assert all(second.lower() == first.lower().replace("e", "a", 1) for first, second in pairs)
    assert any(first.endswith(",") for first, _ in pairs)
    assert any(first[-1].isalpha() for first, _ in pairs)


def test_the_table_of_phrases_is_whole(corpus):
    languages = [("en", "de"), ("en", "fr"), ("en", "es")]
    pairs = list(corpus.phrases(RECIPE / "phrases.tsv", languages))
    assert all(text.strip() == text and text for pair in pairs for text in pair.texts)


def shares(change, texts, times=3000):
    """How often each outcome comes, of a change that draws."""
    rng = random.Random(1)
    return {
        result: count / times
        for result, count in Counter(change(texts, rng) for _ in range(times)).items()
    }


def test_only_prose_changes_its_case(variety):
    found = shares(variety._in_case, ("Is it, big?", "Ist es, dick ?"))
    large = found.pop(("IS IT, BIG?", "IST ES, DICK ?"))
    assert large == pytest.approx(variety.CAPITALS, rel=0.5)
    small = [found.pop(("is it, big?", "ist es, dick ?")), found.pop(("is it big", "ist es dick"))]
    assert small == pytest.approx([variety.SMALL / 2] * 2, rel=0.5)
    assert set(found) == {("Is it, big?", "Ist es, dick ?")}
    for texts in (("Use {0}", "Nimm {0}"), ("3 dogs", "3 Hunde")):
        assert set(shares(variety._in_case, texts)) == {texts}


def test_who_is_the_same_in_both_languages_gets_another_name(variety):
    found = shares(variety._renamed, ("Tom likes Mary and Tom.", "Tom mag Mary und Tom."))
    assert found.pop(("Tom likes Mary and Tom.", "Tom mag Mary und Tom.")) == pytest.approx(
        1 - variety.RENAMED, rel=0.1
    )
    for first, second in found:
        names = re.fullmatch(r"(\w+) likes (\w+) and \1\.", first)
        assert names, first
        assert second == f"{names[1]} mag {names[2]} und {names[1]}."
    for texts in (("Tom's dog", "Toms Hund"), ("Tomorrow", "Tomate")):
        assert set(shares(variety._renamed, texts)) == {texts}


def test_strangers_stand_at_the_same_end_and_emoji_become_placeholders(corpus, variety):
    """As lsg shows what the model would have to spell in bytes."""
    found = shares(variety._with_stranger, ("I love it.", "Das mag ich."))
    assert 1 - found.pop(("I love it.", "Das mag ich.")) == pytest.approx(variety.STRANGE, rel=0.3)
    for first, second in found:
        parts = re.fullmatch(r"(\S+ )?I love it(\.?)( \S+)?", first)
        assert parts, first
        before, mark, behind = (part or "" for part in parts.groups())
        assert second == f"{before}Das mag ich{mark}{behind}"
        assert bool(before) != bool(behind)
    pair = ("I love it \U0001f600", "Das mag ich \U0001f600")
    assert corpus.masked(pair) is None
    assert corpus.masked(pair, lambda word: not word.isascii()) == (
        "I love it {0}",
        "Das mag ich {0}",
    )


@needs_torch
def test_a_start_from_two_models_has_the_pieces_of_both():
    """Those of the first where both have them."""
    script = (
        "import sys; from pathlib import Path; from network import Network, Shape\n"
        "from vocabulary import Vocabulary; from warm import start, variables\n"
        "first, second = models = [Path(each) for each in sys.argv[1:]]\n"
        "words = Vocabulary(second / 'spm.model'); network = Network(Shape(words.size))\n"
        "start(network, words, models)\n"
        "for piece, model in ('\\u2581Haus', second), ('\\u2581house', first):\n"
        "    old = variables(model / 'model.bin')['decoder/embeddings/weight']\n"
        "    row = old[Vocabulary(model / 'spm.model').id(piece)]\n"
        "    assert (network.embedding.weight[words.id(piece)].detach().numpy() == row).all()\n"
    )
    models = [SEED.parent / "en-fr-es", SEED]
    done = subprocess.run(
        [sys.executable, "-c", script, *models],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=f"{ROOT}:{RECIPE}"),
    )
    assert done.returncode == 0, done.stderr


@needs_torch
def test_a_start_from_a_model_gives_back_the_same_model(data, monkeypatch):
    """Reading its weights, the network and the converter lose nothing."""
    monkeypatch.syspath_prepend(RECIPE)
    script = (
        "import sys; from pathlib import Path; from network import Network, Shape\n"
        "from vocabulary import Vocabulary; from warm import start; from convert import convert\n"
        "seed, work = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "(work / 'spm.model').write_bytes((seed / 'spm.model').read_bytes())\n"
        "words = Vocabulary(seed / 'spm.model'); network = Network(Shape(words.size))\n"
        "start(network, words, [seed]); convert(network, words, ['de', 'en'], work, work / 'out')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, SEED, data],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=f"{ROOT}:{RECIPE}"),
    )
    assert done.returncode == 0, done.stderr
    digests = [
        hashlib.sha256((folder / "model.bin").read_bytes()).hexdigest()
        for folder in (SEED, data / "out")
    ]
    assert digests[0] == digests[1]


TABLES = {
    "sentences": "Nobody told me.\tNiemand hat mir etwas gesagt.\n",
    "words": (
        "doc\tinvoice\tdie Rechnung\n"
        "person\tcustomer\tder Kunde/Kunden\nperson\tboss\tder Chef\n"
        "day\tMonday\tMontag\n"
    ),
    "verbs": "work\tsend\tsent\tsending\tsenden\tgesendet\tzu senden\n",
    "templates": (
        "<name> gave the <person>'s boss <a doc>.\t"
        "<name> gab dem Chef <des person> <einen doc>.\n"
        "<Doing work> <doc> <number>\tBeim <Do work>: <Ihr doc> <number>, <er doc.> ist da\n"
        "The <person> has to <do work> the <doc>.\t<Der person> hat <den doc> <to do work>.\n"
        "The <person> and the <person2>\t<Der person> und <der person2>\n"
    ),
}


@pytest.fixture
def tables(tmp_path):
    """A folder of small tables."""
    for name, text in TABLES.items():
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    return tmp_path


def test_templates_are_filled_alike_and_declined(written, tables):
    pairs = Counter(written.written(tables, random.Random(1)))
    assert pairs.pop(("Nobody told me.", "Niemand hat mir etwas gesagt.")) == written.REPEATED
    genitives = {"customer": "des Kunden", "boss": "des Chefs"}
    seen: Counter[str] = Counter()
    for first, second in pairs:
        if given := re.fullmatch(r"(\w+) gave the (\w+)'s boss an invoice\.", first):
            assert second == f"{given[1]} gab dem Chef {genitives[given[2]]} eine Rechnung."
        elif sending := re.fullmatch(r"Sending invoice (\d+)", first):
            assert second == f"Beim Senden: Ihre Rechnung {sending[1]}, sie ist da"
        elif must := re.fullmatch(r"The (\w+) has to send the invoice\.", first):
            noun = {"customer": "Der Kunde", "boss": "Der Chef"}[must[1]]
            assert second == f"{noun} hat die Rechnung zu senden."
        else:
            seen[first] += 1
    assert set(seen) == {f"The {one} and the {other}" for one in genitives for other in genitives}


def test_a_template_with_an_unknown_class_is_refused(written, tables):
    (tables / "templates.tsv").write_text("The <cat>\t<Der cat>\n")
    with pytest.raises(SystemExit, match="no words of the class 'cat'"):
        list(written.written(tables, random.Random(1)))
    (tables / "templates.tsv").write_text("On <day>\t<Der day>\n")
    with pytest.raises(SystemExit, match="'Montag' has no article"):
        list(written.written(tables, random.Random(1)))


def test_what_is_written_in_the_recipe_is_whole(corpus, written):
    """No slot is left, none is unknown, German words with capitals have an article."""
    pairs = list(written.written(RECIPE / "written", random.Random(1)))
    assert len(pairs) > 30_000
    assert not [text for pair in pairs for text in pair if re.search("[<>]|  |^ | $", text)]
    nouns = [word for words in written.read(RECIPE / "written").values() for word in words]
    assert all(word.english and word.german for word in nouns)


@needs_torch
def test_what_is_written_is_trained_on(data, tables):
    (tables / "held" / "y.en-de.en").write_text("Nobody told me\n")
    done = train(data, data / "model", "--steps", "1", "--written", tables)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[0])
    assert result["pairs"] > 1000
    assert result["left out"] == {"unsound": 0, "held out": 1 + 6, "again": 1}
