"""Blocks of Markdown and HTML: where prose begins, and copies of several lines.

Tags, links and emphasis inside a line are items of its prose; see ``text.elements``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsgcli.text.spans import Copy, Prose, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

FENCE = re.compile(r"\s{0,12}(`{3,}|~{3,})(.*)")
RULE = re.compile(r"\s*(?:[-*_=]\s*){3,}")
REFERENCE = re.compile(r"\s{0,3}\[[^\]]+\]:\s+\S.*")
INDENTED = re.compile(r"(?: {4}|\t)\s*\S.*")
LIST = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s.*")
OPENING = re.compile(r"<(script|style|pre|textarea|!--)(?=[\s>-]|$)", re.IGNORECASE)
BLOCK = re.compile(
    r"<!--[^<>]*-->|<[!?][^<>]*>|</?(?:address|article|aside|blockquote|body|br|button|caption|dd|div|dl|dt"
    r"|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|label|legend|li|link|main"
    r"|meta|nav|ol|option|p|section|select|table|tbody|td|tfoot|th|thead|title|tr|ul)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


class Fences:
    """Blocks of code between fences, which are copied."""

    def __init__(self) -> None:
        """Start outside of a block."""
        self._fence = ""

    def __call__(self, line: str) -> bool:
        """Return whether a line is a fence, or between two."""
        match = FENCE.fullmatch(line)
        if self._fence:
            if match and match[1].startswith(self._fence) and not match[2].strip():
                self._fence = ""
            return True
        if match and "`" not in match[2]:
            self._fence = match[1]
            return True
        return False


class Markdown:
    """Indented code, front matter and references. Inline markup belongs to the prose."""

    def __init__(self) -> None:
        """Start at the beginning of a document."""
        self._first = True
        self._front = False
        self._code = True  # may begin here: the line before was empty, and no list
        self._list = False

    def __call__(self, line: str) -> bool:
        """Return whether a line is copied."""
        first, self._first = self._first, False
        if first and line == "---":
            self._front = True
            return True
        if self._front:
            self._front = line not in ("---", "...")
            return True
        if not line.strip():
            self._code = not self._list
            return True
        if self._code and INDENTED.fullmatch(line):
            return True
        self._code = False
        self._list = LIST.fullmatch(line) is not None or (self._list and line[:1].isspace())
        return bool(RULE.fullmatch(line) or REFERENCE.fullmatch(line))


class Html:
    """Scripts, styles, preformatted text and comments, over several lines; tags of blocks."""

    def __init__(self) -> None:
        """Start outside of a block."""
        self._end = ""  # the end mark of the block that is copied
        self._tag = False  # whether a tag began on a line before

    def inside(self) -> bool:
        """Whether a block or tag of the lines before continues."""
        return bool(self._end) or self._tag

    def opens(self, line: str) -> bool:
        """Return whether a line begins with something that may span several lines."""
        return OPENING.match(line.lstrip()) is not None

    def __call__(self, line: str) -> Iterator[Span]:
        """Return the prose between block tags, which are copied."""
        start, small = 0, line.lower()
        if self._tag:
            start = line.find(">") + 1 or len(line)
            self._tag = not line[:start].endswith(">")
            yield Copy(line[:start])
        while start < len(line):
            if self._end:
                found = small.find(self._end, start)
                end = line.find(">", found) + 1 or len(line) if found >= 0 else len(line)
                self._end = "" if found >= 0 else self._end
                yield Copy(line[start:end])
            else:
                opening = OPENING.search(line, start)
                end = opening.start() if opening else len(line)
                yield from self._prose(line[start:end], last=opening is None)
                if opening:
                    name = opening[1].lower()
                    self._end = "-->" if name == "!--" else f"</{name}"
            start = end

    def _prose(self, text: str, *, last: bool) -> Iterator[Span]:
        rest = ""
        cut = text.rfind("<")
        if last and cut >= 0 and ">" not in text[cut:] and re.match(r"</?[A-Za-z]", text[cut:]):
            text, rest, self._tag = text[:cut], text[cut:], True
        end = 0
        for block in BLOCK.finditer(text):
            if text[end : block.start()]:
                yield Prose(text[end : block.start()])
            yield Copy(block[0])
            end = block.end()
        if end < len(text):
            yield Prose(text[end:])
        if rest:
            yield Copy(rest)
