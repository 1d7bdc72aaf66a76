r"""Protected items of a text, which must come out byte for byte: the table of their kinds.

An item is found inside a word too: behind ``](``, ``>``, ``=``, a quotation mark or a bracket. Most
are opaque: the model is never shown them. Plain numbers are ``shown`` first, since "1 file" and "5
files" differ, and the translation is checked for them.

Everything here is linear in the length of the text: an item of several words is recognised by the
characters that begin and end it, and a word that is longer than
``LONGEST_PROSE`` is data as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lsgcli.scripts import WIDE
from lsgcli.text.patterns import Patterns
from lsgcli.text.told import tell_of_data
from lsgcli.text.words import LONGEST_PROSE, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

UNIT = (
    r"(?:[num]?s|min|[kKMGTPE]i?[Bb](?:/s|ps|it/s)?|B|[kMG]?Hz|px|%"
    r"|[kmc]?m|mm|km/h|[km]?g|°[CF]?|[mk]?[VWA]|rpm|fps|dB)"
)
NUMBER = r"\d+(?:,\d{3})*(?:[.,]\d+)?"
TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?"
ZONE = r"(?:Z|[+-]\d{2}:?\d{2})?"
MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
ERRNO = (
    r"E(?:ACCES|ADDRINUSE|AGAIN|BADF|BUSY|CONNREFUSED|CONNRESET|EXIST|FAULT|HOSTUNREACH|INTR|INVAL"
    r"|IO|ISDIR|LOOP|MFILE|NFILE|NOENT|NOMEM|NOSPC|NOSYS|NOTDIR|NOTEMPTY|NXIO|PERM|PIPE|RANGE|ROFS"
    r"|TIMEDOUT|WOULDBLOCK)|SIG(?:ABRT|ALRM|BUS|CHLD|CONT|FPE|HUP|ILL|INT|KILL|PIPE|QUIT|SEGV|STOP"
    r"|TERM|TRAP|TSTP|USR[12]|WINCH)"
)


class Kind(NamedTuple):
    """A kind of item: its name, examples (each is an item), and patterns."""

    name: str
    examples: tuple[str, ...]
    pattern: str


# Of one word, without the punctuation around it.
WORDS = (
    Kind(
        "date and time",
        ("2026-11-23", "2026-11-23T02:45:34.123Z", "23/Nov/2026:02:45:34", "28.11.2026", "02:45"),
        rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[T_]{TIME})?{ZONE}"
        rf"|\d{{1,2}}/(?:\d{{1,2}}|[A-Z][a-z]{{2}})/\d{{2,4}}(?::{TIME})?"
        rf"|\d{{1,2}}\.\d{{1,2}}\.\d{{2,4}}|{TIME}{ZONE}",
    ),
    Kind("version", ("v2", "1.2.3-rc1", "0.85.x"), r"\d+(?:\.\d+){2,}(?:[-+]\w+)*|v\d+(?:\.\d+)*"),
    Kind(
        "long number, phone",
        ("40022", "555-0199", "+49-30-1234", "-40"),
        r"\d{5,}|\+?\d+(?:-\d+)+|[-+\u2212±]\d+(?:[.,]\d+)*",
    ),
    Kind(
        "hexadecimal number, hash",
        ("0x7ffe1234", "4f2a9c1"),
        r"0[xX][0-9a-fA-F]+|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,}",
    ),
    Kind(
        "UUID",
        ("123e4567-e89b-42d3-a456-426614174000",),
        r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    ),
    Kind(
        "address",
        ("10.0.0.1:8080", "192.168.0.0/16", "fe80::1", "00:1a:2b:3c:4d:5e"),
        r"(?:\d{1,3}\.){3}\d{1,3}(?::\d+|/\d+)?"
        r"|(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:/\d+)?",
    ),
    Kind("web address", ("www.example.org",), r"www\.\S+|[a-z][a-z0-9+.-]*://\S+"),
    Kind(
        "path",
        ("/var/log/syslog", "./configure", r"C:\Windows", "src/main/app.py", "lib/"),
        r"(?:~|\.{1,2})?/[^\s/]\S*|/|[A-Za-z]:\\\S*|\\\\\S+"
        r"|[\w.-]+(?:/[\w.-]+){2,}|(?:[\w.-]+/)+[\w-]+\.\w{1,5}|[\w.-]+/",
    ),
    Kind(
        "file",
        ("config.yaml", "main.c:17:3"),
        r"[\w-]+\.(?:bak|bat|c|cfg|conf|cpp|css|csv|db|dll|exe|go|gz|h|html?|ini|jar|java|jpe?g|js"
        r"|json|lock|log|lua|md|mp3|mp4|o|pdf|php|pid|png|po|py|rb|rs|service|sh|so|sock|sql|srt"
        r"|svg|tar|tgz|toml|ts|tsv|txt|vtt|wav|xml|ya?ml|zip)(?::\d+){0,2}",
    ),
    Kind(
        "qualified name, host",
        ("java.util.List", "db.example.com:5432"),
        r"[A-Za-z_][\w-]*\w(?:\.[A-Za-z_][\w-]*\w)+(?:\(\S*\)|:\d+)?",
    ),
    Kind(
        "identifier",
        ("user_id", "FileNotFoundError", "Foo::bar", "p->next", "-EIO", "SIGKILL"),
        r"\w*[A-Za-z]\w*_\w+|_\w+|\w+::[\w:]+|\w+(?:->\w+)+|[A-Za-z]*[a-z][A-Z]\w*"
        rf"|-?(?:{ERRNO})",
    ),
    Kind("call", ("f()", "foo(a,b)"), r"[\w.:]+\((?!e?[sn]\))\S*\)"),
    Kind("key=value", ("key=value", "k="), r"[\w.-]+=\S*"),
    Kind("option", ("--verbose", "-x", "--size=3"), r"--?[A-Za-z][\w-]*(?:=\S*)?"),
    Kind(
        "key", ("Ctrl+C", "Alt-F4"), r"(?:Alt|Cmd|Ctrl|Esc|Meta|Shift|Strg|Super|Win)(?:[+-]\w+)+"
    ),
    Kind(
        "placeholder",
        ("%s", "%5.2f", "%1$s", "$HOME", "{name}", "%%"),
        r"\$[A-Za-z_]\w*|\$\d|\$\{\S+\}|\{\{?\S*?\}\}?|%\(\w+\)[#0-9.+-]*[a-z]|%\d+%?|%%"
        r"|%[-+#0]*\d*(?:\$[-+#0]*\d*)?(?:\.\d+|\.\*)?(?:hh?|ll?|z|j|t)?[a-zA-Z@]",
    ),
    Kind("name with a sign", ("#4711", "@user", "[1]"), r"#\d+|[@#]\w+|\[\d+\]"),
    Kind("line between columns", ("|",), r"[|│┃]+"),
)
READABLE = re.compile(  # 1990s, 21st, 5-year-old
    rf"{NUMBER}(?:[:/\u2013]{NUMBER})*"
    r"(?:st|nd|rd|th|s|e|er|es|ern|te[nrms]?|ste[nrms]?|ème|ère|º|ª|o|a)?\.?(?:-[^\W\d_]+)*"
)
# Of several words, or anywhere inside one: recognised by the characters at both ends.
SPANS = (
    Kind("code", ("`git commit -a`",), r"`{1,3}[^`]{1,300}`{1,3}"),
    Kind(
        "tag",
        ("<b>", '<a href="x y">', "<br/>", "</b>", "<!-- x -->"),
        r"</?[A-Za-z][\w:.-]{0,60}(?:\s(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)?/?>|<!--[^<>]{0,500}-->|<[?!][^<>]{1,500}>|<[^<>\s]{1,200}>",
    ),
    Kind("entity", ("&amp;", "&#39;"), r"&#?\w{1,30};"),
    Kind(
        "link",
        ("](https://example.org/a)", "][ref]"),
        r"\]\([^()\s]{1,500}(?:\([^()\s]{0,100}\)[^()\s]{0,100})?(?:\s\"[^\"]{0,200}\")?\)"
        r"|\]\[[^\[\]]{0,100}\]",
    ),
    Kind(
        "placeholder of several words",
        ("{{ name }}", "${HOME}", "%(name)s", "$(id -u)", "{% if x %}"),
        r"\{\{[^{}]{0,100}\}\}|[$%#]?\{[^{}\s]{0,60}\}|\{%[^{}]{0,200}%\}|\$\([^()]{1,100}\)"
        r"|%\(\w{1,60}\)[#0-9.+-]{0,9}[a-z]",
    ),
    Kind(
        "web address",
        ("https://example.org/a?b=c#d", "ftp://x.y"),
        r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s<>\"`]*[^\s<>\"`.,;:!?)\]}'’”»*_|]",
    ),
    Kind(
        "mail address",
        ("a@example.org",),
        r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}",
    ),
    Kind(
        "number with a unit",
        ("30 ms", "80%", "16GB", "-40 °C"),
        rf"(?<![\w.,:/])[-+\u2212]?(?!\d{{4}}s\b){NUMBER}[ \u00a0\u202f]?{UNIT}(?!\w)",
    ),
    Kind(
        "sum of money",
        ("$100", "US$5", "3,50 €"),
        rf"(?<!\w)(?:US|C|A)?[$€£¥] ?{NUMBER}(?:[kKmM]|bn)?(?!\w)"
        rf"|(?<![\w.,]){NUMBER}[ \u00a0\u202f]?[$€£¥](?!\w)",
    ),
    Kind(
        "request",
        ("GET /index.html HTTP/1.1",),
        r"(?<!\w)(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) \S{1,300} HTTP/[\d.]{1,3}",
    ),
    Kind("error number", ("[Errno 2]",), r"\[Errno -?\d{1,5}\]"),
    Kind(
        "date of a log",
        ("Nov 23 02:45:34", "23/Nov/2026:02:45:34 +0000"),
        rf"(?<!\w){MONTH}\s{{1,2}}\d{{1,2}}\s{TIME}(?!\w)"
        rf"|\d{{1,2}}/{MONTH}/\d{{4}}:{TIME} [+-]\d{{4}}",
    ),
)
DIGITS = Kind("name with digits", ("eth0", "utf-8", "total-vm:812kB", "sda1", "0.85.x"), "")
PLAIN = Kind("number", ("101", "1,024", "1.5", "1/2", "1990s", "21st"), "")
KINDS = (*SPANS, *WORDS, DIGITS, PLAIN)

SPAN = re.compile("|".join(f"(?:{kind.pattern})" for kind in SPANS))
WORD = re.compile("|".join(f"(?:{kind.pattern})" for kind in WORDS))
SUSPECT = re.compile(  # a text without a match has nothing but words
    r"[^\w\s.,;!?'’\"“”‘„«»()–—-]|[\d_]|[a-z][A-Z]|\w[.(]\w|\w\(\)|(?<!\w)-[\w-]"
    r"|(?<!\w)(?:E|SIG)[A-Z]{2}"
)
TOKEN = re.compile(rf"[^{SPACE}\n]+")
OPENING, CLOSING = "([{<\"'‘“«„*_~", ")]}>\"'’”“».,;:!?…*_~"
PROSE = re.compile(  # a word that is no name in a program
    rf"[{re.escape(OPENING.replace('_', ''))}]*(?!(?:E|SIG)[A-Z]{{2}})(?![A-Za-z]*[a-z][A-Z])"
    rf"[^\W\d_]+(?:['’-][^\W\d_]+)*[{re.escape(CLOSING)}]*"
)
MOST_CLOSING = 6  # characters at the end of a word that may belong to it: f(), f().
PAIRS = {"(": ")", "[": "]", '"': '"', "'": "'", "‘": "’", "“": "”", "„": "“", "«": "»"}
PART = re.compile(r"[^()\[\]{}<>\"“”„‘«»,;|…—*~=]+")
GENERAL_PUNCTUATION = "\u206f"  # the last one; arrows, symbols and emoji follow
COUNTED = re.compile(r"\d+(?:[.,:/\u2013-]\d+)*")


@dataclass(frozen=True, slots=True)
class Item:
    """Where an item is in its text; ``shown``: the model may see it."""

    start: int
    end: int
    shown: bool = False


class Finder:
    """Finds the items of a text."""

    def __init__(
        self,
        extra: Sequence[str] = (),
        spelt: Callable[[str], bool] = lambda _: False,
        *,
        unspaced: bool = False,
    ) -> None:
        """Add patterns of whole words, and words that a model would have to spell.

        ``unspaced``: in a language without spaces, an item ends where its script begins.
        Raises UsageError for an invalid regular expression.
        """
        self._extra = Patterns(extra)
        self._spelt = spelt
        self._unspaced = unspaced

    def __call__(self, text: str) -> list[Item]:
        """Return the items in their order; they do not overlap.

        >>> text = "See [it](https://x.y/a) at 10.0.0.1, 5 times"
        >>> [(text[i.start : i.end], i.shown) for i in Finder()(text)]
        [('](https://x.y/a)', False), ('10.0.0.1', False), ('5', True)]
        """
        if self._unspaced:
            text = WIDE.sub("\n", text)
        if not self._extra and text.isascii() and not SUSPECT.search(text):
            long = (m for m in TOKEN.finditer(text) if m.end() - m.start() > LONGEST_PROSE)
            return [Item(*match.span()) for match in long]
        items: list[Item] = []
        end = 0
        for match in SPAN.finditer(text):
            items += self._tokens(text, end, match.start())
            items.append(Item(*match.span()))
            end = match.end()
        items += self._tokens(text, end, len(text))
        return _marked(text, items)

    def _tokens(self, text: str, start: int, end: int) -> Iterator[Item]:
        for match in TOKEN.finditer(text, start, end):
            token = match[0]
            known = not self._extra and token.isascii() and len(token) <= LONGEST_PROSE
            if not (known and PROSE.fullmatch(token)):
                for item in self._token(token):
                    yield Item(match.start() + item.start, match.start() + item.end, item.shown)

    def _token(self, token: str) -> Iterable[Item]:
        """Yield the items of a word."""
        if len(token) > LONGEST_PROSE:
            tell_of_data(token)
            return [Item(0, len(token))]
        closed = len(token.rstrip(CLOSING))
        opened = len(token) - len(token.lstrip(OPENING))
        if found := self._opaque(token, opened, closed):
            return [found]
        if opened >= closed:
            return []
        if READABLE.fullmatch(token, opened, closed):
            return [_number(token, opened, closed)]
        return self._parts(token, opened, closed)

    def _opaque(self, token: str, opened: int, closed: int) -> Item | None:
        """Return the shortest opaque item, with or without the punctuation around it.

        Brackets in pairs come first: ``f(x)`` in ``(f(x)).``, ``10.0.0.1`` in ``"10.0.0.1".``
        """
        found: Item | None = None
        for end in range(closed, min(closed + MOST_CLOSING, len(token)) + 1):
            for start in range(opened, max(opened - MOST_CLOSING, 0) - 1, -1):
                core = token[start:end]
                if core and self._is_opaque(core):
                    if core.count("(") == core.count(")"):
                        return Item(start, end)
                    found = found or Item(start, end)
        return found

    def _parts(self, token: str, start: int, end: int) -> Iterator[Item]:
        """Yield the items inside a word that is not an item as a whole."""
        for part in PART.finditer(token, start, end):
            a = part.start() + len(part[0]) - len(part[0].lstrip(".:'’"))
            b = part.end() - (len(part[0]) - len(part[0].rstrip(".:'’")))
            if a >= b:
                continue
            core = token[a:b]
            if READABLE.fullmatch(core):
                yield _number(token, a, b)
            elif any(map(str.isdigit, core)) or self._is_opaque(core):
                yield Item(a, b)

    def _is_opaque(self, word: str) -> bool:
        if self._extra and self._extra.match(word):
            return True
        if WORD.fullmatch(word):
            return True
        return any(c.isalnum() or c > GENERAL_PUNCTUATION for c in word) and self._spelt(word)


def _marked(text: str, items: list[Item]) -> list[Item]:
    """Extend opaque items by quotation marks or brackets that hold nothing else."""
    end = 0
    for n, item in enumerate(items):
        a, b = item.start - 1, item.end
        if not item.shown and end <= a and PAIRS.get(text[a]) == text[b : b + 1]:
            items[n] = item = Item(a, b + 1)
        end = item.end
    return items


def _number(token: str, start: int, end: int) -> Item:
    """Return the digits of a readable number, with their separators."""
    match = COUNTED.match(token, start, end)
    return Item(start, match.end() if match else end, shown=True)


def numbers(text: str) -> Counter[str]:
    """Count the numbers in a text.

    >>> sorted(numbers("In 1990, 1,5 or 10:30: 1990s").items())
    [('1,5', 1), ('10:30', 1), ('1990', 2)]
    """
    return Counter(COUNTED.findall(text))


def table() -> str:
    """Format the kinds as a table: a line for each, with its examples."""
    width = max(len(kind.name) for kind in KINDS)
    return "\n".join(f"{kind.name:{width}}  {'  '.join(kind.examples)}" for kind in KINDS)
