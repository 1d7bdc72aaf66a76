"""Output of programs that is copied: listings, diffs, stack frames, prompts, headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsgcli.text.spans import Copy, Prose, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

COPIED = re.compile(
    r"""
      [-dlcbps][-rwxsStT]{9}[.+@]?\s.*                          # ls -l
    | total\s\d+[KMGT]?
    | \s*(?:\d+\s+)?\d+:\d\d(?::\d\d)?(?:[.,]\d{1,3})?\s-->\s.* # subtitles
    | WEBVTT.*
    | [\d\W]+                                                  # no letters
    | \s*at\s\S+\(.*\)\s*|\s+at\s\S.*:\d+\)?                     # frames: Java, JavaScript
    | \s*at\s[\w.<>]+.*\sin\s.*:line\s\d+                        # .NET
    | \s*\.\.\.\s\d+\s(?:more|common\ frames\ omitted|others)
    | \s*File\s".*",\sline\s\d+.*                               # Python
    | Traceback\s\(most\srecent\scall\slast\):
    | \s*\^[\^~]*|\s*~+\^[\^~]*
    | \#\d+\s+\S.*                                              # gdb
    | goroutine\s\d+\s\[.*\]:|\s+\S+\.go:\d+.*                   # Go
    | \s+\d+:\s+(?:0x[0-9a-f]+\s-\s)?[\w:<>{}]+::[\w:<>{}\#]+.*  # Rust
    | thread\s'.*'\spanicked\sat\s\S+:\d+.*
    | \$\s+\S.*|>>>.*|\.\.\.\s{2,}\S.*|[\w.-]+@[\w.-]+:\S*[$\#]\s.* # prompts
    | (?:PS\s)?[A-Z]:\\[^>]*>.*
    | \s*\d+\s+[|](?:\s.*)?|\s{4,}[|](?:\s.*)?                   # source, by compilers
    | =+(?:\s.*)?\s?=+|-{3,}(?:\s.*)?\s?-{3,}|_{3,}(?:\s.*)?\s?_{3,} # pytest's rulers
    | E\s{2,}.*|>\s{3,}.*
    | commit\s[0-9a-f]{7,64}\b.*|tree\s[0-9a-f]{40}|parent\s[0-9a-f]{40}
    | \s*(?:modified|new\ file|deleted|renamed|copied|typechange|both\ modified):\s+\S.*
    | \s\S.*\s\|\s+(?:\d+\s[+-]*|Bin\s.*)                         # git diff --stat
    | (?:\s[MADRCU]|[MADRCU]\s|\?\?|!!|MM|AM|UU)\s\S*[./]\S*|\s(?:create|delete)\smode\s\d+\s.*
    | \d+:\s[\w@.-]+:\s<.*|\s+(?:inet6?|link/\w+|valid_lft|ether)\s.* # ip
    | [●*\s]*[\w@\\.:-]+\.(?:service|socket|timer|mount|target|slice|scope|device)\s+\w+\s+\w+\s.*
    | \d+\sbytes\sfrom\s.*|rtt\smin/avg/max/.*
    | (?:Get|Hit|Ign|Err|Fetched):\d+\s.*                        # apt
    | \[[^\]]+\]:\s+(?:https?://|[./\#])\S*.*                   # a reference of Markdown's
    | Step\s\d+/\d+\s:.*
    | [\w.-]+\s+:?=\s+.*                                        # settings
    | HTTP/[\d.]+\s\d{3}(?:\sOK)?
    | (?:export|alias|source|sudo|cd|set)\s[^\s=]*[=/$~].*
    | \s{0,8}(?:[A-Z][\w-]*-)?(?:By|Date|Author|AuthorDate|CommitDate|Commit|Committer|Merge|From|To
      |Cc|Bcc|Reply-To|Message-ID|Message-Id|In-Reply-To|References|Received|Return-Path|MIME-Version
      |Content-\w+(?:-\w+)?|X-[\w-]+|Host|User-Agent|Accept[\w-]*|Server|Set-Cookie|Cookie|ETag
      |Connection|Cache-Control|Signed-off-by|Co-authored-by|Reviewed-by|Change-Id|Fixes|Closes)
      :\s.*[\d@/=<;].*
    | \#!.*|\#(?:include|define|ifdef|ifndef|endif|pragma)\b.*
    """,
    re.VERBOSE,
)
AHEAD = re.compile(  # the part before a message
    r"""
      (?:Caused\sby|Suppressed):\s[\w.$]+(?::\s)?
    | Exception\sin\sthread\s"[^"]*"\s[\w.$]+(?::\s)?
    | (?:Uncaught\s)?(?:[\w$]+\.)*\w+(?:Error|Exception|Warning|Interrupt|Fault)(?::\s|$)
    | (?:Subject|Title|Betreff|Objet|Asunto):\s+(?:(?:Re|Fwd?|AW|WG):\s+)*
    | (?:FAILED|PASSED|SKIPPED|ERROR|XFAIL)\s\S*(?:::|\.py)\S*(?:\s-\s)?
    | \S+:\d+(?::\d+)?:\s(?:(?:fatal\s)?error|warning|note|info|hint):\s
    | (?=[a-f]*\d)[0-9a-f]{7,12}\s(?:\([^()]*\)\s)?
    | HTTP/[\d.]+\s\d{3}\s
    """,
    re.VERBOSE,
)
DIFF = re.compile(
    r"diff --git .*|index [0-9a-f]+\.\.[0-9a-f]+.*|--- \S.*|\+\+\+ \S.*|@@ -\S+ \+\S+ @@.*"
    r"|(?:new|deleted) file mode \d+|(?:old|new) mode \d+|similarity index .*|rename (?:from|to) .*"
    r"|Binary files .* differ|Index: .*|Only in .*"
)
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*")
LONGEST = 500  # characters of a line that are searched
FRAME = re.compile(r'\s*File ".*", line \d+')


class Programs:
    """Recognises output of programs, of which some spans several lines."""

    def __init__(self) -> None:
        """Start outside of everything."""
        self._old = self._new = 0  # lines left in a hunk
        self._indent = -1  # of a frame whose source line follows

    def __call__(self, line: str) -> list[Span] | None:
        """Return the spans of a line that is copied, or of its message; None for other lines."""
        if self._goes_on(line):
            return [Copy(line)]
        if hunk := HUNK.fullmatch(line):
            self._old, self._new = (int(n) if n else 1 for n in hunk.groups())
        if FRAME.match(line[:LONGEST]):
            self._indent = _indent(line)
        head = line[:LONGEST]
        if DIFF.fullmatch(head) or COPIED.fullmatch(head):
            return [Copy(line)]
        start = _indent(head)
        if (ahead := AHEAD.match(head, start)) and ahead.end() > start:
            return list(_message(line, ahead.end()))
        return None

    def _goes_on(self, line: str) -> bool:
        """Return whether a line continues the lines before."""
        if self._old > 0 or self._new > 0:
            sign = line[:1]
            self._old -= sign in (" ", "-", "")
            self._new -= sign in (" ", "+", "")
            if sign in (" ", "-", "+", "\\", ""):
                return True
            self._old = self._new = 0
        source, self._indent = -1 < self._indent < _indent(line), -1
        return source


def _message(line: str, end: int) -> Iterator[Span]:
    yield Copy(line[:end])
    if end < len(line):
        yield Prose(line[end:])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
