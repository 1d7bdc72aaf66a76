"""Lines with items of all kinds, glued to words in all ways: seeded, for tests and measurements."""

from __future__ import annotations

import random
import re
from typing import NamedTuple

KINDS = """
2026-11-28 2026-11-28T02:45:34.123Z 23/Nov/2026:02:45:34 02:45:34,123 28.11.2026 v2.3.4
1.2.3-rc1 0.85.x 555-0199 +49-30-12345 40022 0x7ffe1234 4f2a9c1 deadbeef01
123e4567-e89b-42d3-a456-426614174000 10.0.0.1 10.0.0.1:8080 192.168.0.0/16 fe80::1
00:1a:2b:3c:4d:5e /var/log/syslog ./configure ../a/b C:\\Windows\\x src/main/app.py
config.yaml main.c:17:3 https://example.com/a?x=1&y=2#z http://localhost:8080
ftp://x.org/y www.example.org anna@example.org java.util.List db.example.com:5432 user_id
FileNotFoundError Foo::bar p->next SIGKILL f() foo(a,b) key=value --verbose --size=3 %s
%5.2f %1$s $HOME ${HOME} {name} {0} {} #4711 @user 30ms 80% 16GB 4KiB/s 1.5s -40 eth0 sda1
debian-sa1 utf-8 x86_64 sun.nio.ch.Net total-vm:8123456kB $100 US$5
"""
ITEMS = KINDS.split()
NUMBERS = ["7", "12", "101", "1024", "1990", "2026", "1.5", "3,000", "1/2", "24"]
SENTENCES = {
    "en": [
        "Please send {} to my brother.",
        "The house with {} is very small.",
        "I saw {} and {} in the garden.",
        "We need {} for the new car!",
        "Where did you find {}?",
        "The file {} was not found.",
        "Could not open {}: {} is missing.",
        "He has {} children, {} dogs, {} cats, {} birds and {} fish.",
        "She said that {} would come tomorrow with {}, but {} did not.",
        "{} is not available",
    ],
    "de": [
        "Bitte schicke {} an meinen Bruder.",
        "Das Haus mit {} ist sehr klein.",
        "Ich habe {} und {} im Garten gesehen.",
        "Die Datei {} wurde nicht gefunden.",
        "Er hat {} Kinder, {} Hunde, {} Katzen, {} Vögel und {} Fische.",
        "Wo hast du {} gefunden?",
    ],
    "fr": [
        "Envoyez {} à mon frère, s'il vous plaît.",
        "La maison avec {} est très petite.",
        "J'ai vu {} et {} dans le jardin.",
        "Le fichier {} est introuvable.",
        "Il a {} enfants, {} chiens, {} chats, {} oiseaux et {} poissons.",
        "Où as-tu trouvé {} ?",
    ],
    "es": [
        "Por favor, envía {} a mi hermano.",
        "La casa con {} es muy pequeña.",
        "He visto {} y {} en el jardín.",
        "No se encontró el archivo {}.",
        "Tiene {} hijos, {} perros, {} gatos, {} pájaros y {} peces.",
        "¿Dónde has encontrado {}?",
    ],
}
AROUND = """
({}) "{}" '{}' <b>{}</b> **{}** `{}` [{}] «{}» “{}” {}, {}. {}: {}; {}! <i>{}</i>, ({}), "{}".
"""
GLUES = ["{}"] * 6 + AROUND.split()
MARKS = [
    "[the guide]({})",
    "<kbd>{}</kbd>+<kbd>C</kbd>",
    '<a href="{}">this</a>',
    "<code>{}</code>",
]
HEADERS = ["", "", "", "2026-11-23 02:45:35,007 WARN  [pool-1] com.acme.Cache: ", "- ", "> ", "## "]


class Sample(NamedTuple):
    """A line, and what of it must be in its translation as often."""

    line: str
    items: tuple[str, ...]


def samples(language: str, count: int, seed: int = 1) -> list[Sample]:
    """Build lines of a language."""
    rng = random.Random(f"{language} {seed}")
    return [_sample(rng, SENTENCES[language]) for _ in range(count)]


def _sample(rng: random.Random, sentences: list[str]) -> Sample:
    items: list[str] = []
    sentence = rng.choice(sentences)
    while "{}" in sentence.replace("\0", ""):
        item = rng.choice(ITEMS if rng.random() < 0.7 else NUMBERS)
        glue = rng.choice(MARKS if rng.random() < 0.1 else GLUES)
        items += [item, *_tags(glue)]
        sentence = sentence.replace("{}", glue.replace("{}", item.replace("{}", "\0")), 1)
    return Sample(rng.choice(HEADERS) + sentence.replace("\0", "{}"), tuple(items))


def _tags(glue: str) -> list[str]:
    return re.findall(r'</\w+>|<\w+>|<a href="', glue)


def lost(sample: Sample, translation: str) -> list[str]:
    """Items that the translation does not have as often as the line, with what is around them."""
    return [i for i in set(sample.items) if translation.count(i) != sample.line.count(i)]
