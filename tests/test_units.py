"""Text without spaces: its units as it arrives, its sentences, and how sentences are joined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.text.items import Finder
from lsgcli.text.joints import Joints
from lsgcli.text.line.sentences import Cutter, Sentence
from lsgcli.text.protect import Protector
from lsgcli.text.segmenter import EndSegment, Limits, Segmenter, Unit, Verbatim
from lsgcli.text.units import Divider, UnitSplitter
from lsgcli.text.words import Item, Language, Word

TEXTS = {
    "zh": "我弟弟想买一辆新车。他说：“好。”然后用GitHub Copilot写了3.5行代码（真的）！",
    "ja": "私の弟は「新しい車」を買いたいと言っている。コンピューターだった。",
    "th": "น้องชายของฉันอยากซื้อรถใหม่ วันนี้อากาศดี",
    "lo": "ນ້ອງຊາຍຂອງຂ້ອຍຢາກຊື້ລົດ",
    "my": "ကျွန်တော့်ညီ ကားဝယ်ချင်တယ်။",
    "km": "ប្អូនប្រុសខ្ញុំចង់ទិញឡាន។",
    "": "Git和Hub 我们。วันนี้อากาศดี。今日はとても",
}
BITS = [*"我们今天。，（）“”…はがコーッน้ำ3.5a-🙂 \n\u3000", "  ", "GitHub", "e\u0301"]
MIXED = st.lists(st.sampled_from(BITS), max_size=30).map("".join)


def split(text: str, divide: Divider, sizes: list[int]) -> list[Item]:
    """Feed a text in pieces."""
    splitter, start = UnitSplitter(divide), 0
    found: list[Item] = []
    for size in sizes:
        found += splitter.feed(text[start : start + size])
        start += size
    found += splitter.feed(text[start:])
    return [*found, *splitter.flush()]


def written(items: list[Item]) -> str:
    text = ""
    for item in items:
        assert not isinstance(item, Language)
        text += item.before + (item.text if isinstance(item, Word) else "\n")
    return text


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("size", [1, 2, 7])
def test_units_do_not_depend_on_how_the_text_comes(language: str, size: int) -> None:
    text, divide = TEXTS[language], Divider(language)
    items = [i for i in split(text, divide, [size] * len(text)) if isinstance(i, Word)]
    shown = [f" {i.text}" if n and i.before else i.text for n, i in enumerate(items)]
    assert tuple(shown) == divide.words(text)
    assert len(items) > 3


@given(MIXED, st.lists(st.integers(1, 5), max_size=30), st.sampled_from([*TEXTS]), st.booleans())
def test_nothing_is_lost(text: str, sizes: list[int], language: str, characters: bool) -> None:
    items = split(text, Divider(language, characters=characters), sizes)
    tail = text[len(text.rstrip(" \u3000")) :]  # whitespace at the end waits for a word
    assert written(items) == text.removesuffix(tail)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("用GitHub写", ["用", "GitHub", "写"]),
        ("3.5辆", ["3.5", "辆"]),
        ("真的！！好", ["真的！！", "好"]),
        ("（真的）好", ["（真的）", "好"]),
        ("他说：“好。”", ["他", "说：", "“好。”"]),
        ("请看https://example.org/a。", ["请", "看", "https://example.org/a。"]),
    ],
)
def test_other_scripts_and_marks(text: str, units: list[str]) -> None:
    assert Divider("zh")(text) == units


def test_characters_keep_their_marks() -> None:
    assert Divider("th", characters=True)("น้ำดี") == ["น้", "ำ", "ดี"]
    assert Divider("ja", characters=True)("キャー") == ["キャー"]


def test_a_unit_is_known_three_characters_later() -> None:
    splitter = UnitSplitter(Divider("zh"))
    assert [i.text for i in splitter.feed("我弟弟想") if isinstance(i, Word)] == ["我"]
    assert splitter.pending()
    assert [i.text for i in splitter.feed("买。") if isinstance(i, Word)] == ["弟弟"]
    assert [i.text for i in splitter.flush() if isinstance(i, Word)] == ["想买。"]


def limits(language: str = "zh", tokens: int = 100) -> Limits:
    """A token a character."""
    return Limits(tokens, len, language, divide=Divider(language))


def cutter(language: str = "zh", tokens: int = 100) -> Cutter:
    known = limits(language, tokens)
    return Cutter(Finder((), known.spells, unspaced=True), known)


def sentences(text: str, language: str = "zh", tokens: int = 100) -> list[str]:
    parts = list(cutter(language, tokens)(text))
    joined = "".join(p.before + p.text if isinstance(p, Sentence) else p.text for p in parts)
    assert joined == text
    return [part.text for part in parts if isinstance(part, Sentence)]


PARAGRAPH = (
    "人工智能正在改变我们的生活方式，但也带来了许多问题。专家们认为，我们必须认真思考它的影响！"
    "“你怎么看？”记者问。他回答说：没有人知道未来会怎样，可是今天的决定会影响明天的世界。"
    "政府、公司和普通人都应该参与讨论，因为这不仅是技术问题，也是社会问题。"
)


def test_a_paragraph_is_cut_at_its_sentences() -> None:
    assert len(PARAGRAPH) > 100
    found = sentences(PARAGRAPH)
    assert found[0] == "人工智能正在改变我们的生活方式，但也带来了许多问题。"
    assert found[2] == "“你怎么看？”"
    assert found[-1].startswith("政府")
    assert len(found) == 6


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    found = sentences(PARAGRAPH, tokens=20)
    assert all(len(each) <= 20 for each in found)
    assert "专家们认为，" in found[2] or found[2].endswith(("，", "！"))
    assert found[0] == "人工智能正在改变我们的生活方式，"


def test_thai_is_cut_at_spaces_where_it_is_too_long() -> None:
    text = "วันนี้อากาศดีมาก เราจึงไปเดินเล่นที่สวนสาธารณะ และกินข้าว"
    assert sentences(text, "th") == [text]
    assert sentences(text, "th", 50) == [
        "วันนี้อากาศดีมาก เราจึงไปเดินเล่นที่สวนสาธารณะ",
        "และกินข้าว",
    ]


@pytest.mark.parametrize(
    "text", ["这样呢？好。", "हाँ। नहीं।", "نعم؟ لا.", "ဟုတ်တယ်။ မဟုတ်ဘူး။", "はい！いいえ。"]
)
def test_full_stops_of_other_scripts_end_sentences(text: str) -> None:
    known = limits("zh") if " " not in text else Limits(100, len, "hi")
    found = [p for p in Cutter(Finder(), known)(text) if isinstance(p, Sentence)]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("我有3个苹果，很好。", ["3"]),
        ("请看https://example.org/a。谢谢", ["https://example.org/a"]),
        ("发邮件到a@example.org吧", ["a@example.org"]),
        ("运行`git commit 信息`之后", ["`git commit 信息`"]),
        ("打开/usr/bin和README.md文件", ["/usr/bin", "README.md"]),
        ("跑了30km的路", ["30km"]),
        ("价格是¥100。", ["¥100"]),
        ("你好{{ name }}，<b>欢迎</b>！", ["{{ name }}", "<b>", "</b>"]),
    ],
)
def test_items_end_where_the_script_begins(text: str, items: list[str]) -> None:
    assert [text[i.start : i.end] for i in Finder(unspaced=True)(text)] == items


def pieces(text: str, known: Limits, *, protect: bool = True):
    segmenter = Segmenter(known, "line", Protector() if protect else None)
    splitter = UnitSplitter(known.divide or Divider())
    items = [*splitter.feed(text), *splitter.flush()]
    return [piece for item in items for piece in segmenter.feed(item)] + list(segmenter.end())


def test_an_arriving_line_is_cut_at_sentences_and_clauses() -> None:
    found: list[str] = [""]
    for piece in pieces(PARAGRAPH, limits(tokens=40)):
        if isinstance(piece, Unit):
            found[-1] += piece.source
        elif isinstance(piece, EndSegment):
            found.append("")
        else:
            assert not isinstance(piece, Verbatim)
    assert "".join(found) == PARAGRAPH
    assert all(len(each) <= 40 for each in found)
    assert all(each.endswith(("，", "。", "！", "？”", "：", "、")) for each in found[:-1])


@given(MIXED)
def test_the_model_is_shown_the_words_of_the_source(text: str) -> None:
    shown = ""
    known = Limits(10_000, len, "zh", sentences=False, divide=Divider("zh"))
    for piece in pieces(text + "\n", known, protect=False):
        if isinstance(piece, Unit):
            shown += piece.source
        elif isinstance(piece, Verbatim):
            shown += piece.text
    assert "".join(shown.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("source", "target", "left", "given", "own", "joint"),
    [
        ("en", "zh", "好。", " ", True, ""),
        ("en", "ja", "はい。", " ", True, ""),
        ("en", "zh", "Git", " ", False, " "),
        ("en", "th", "ดี", " ", True, " "),
        ("zh", "en", "Good.", "", True, " "),
        ("zh", "en", "Good.", " ", True, " "),
        ("zh", "en", "`git`", "", False, " "),
        ("zh", "en", 'msg="', "", False, ""),
        ("zh", "en", "", "", True, ""),
        ("zh", "ja", "はい。", "", True, ""),
        ("zh", "th", "ดี", "", True, " "),
        ("de", "en", "Good.", " ", True, " "),
        ("de", "en", "Good.", "", True, ""),
        ("ja", "en", "(", "", True, ""),
    ],
)
def test_sentences_are_joined_as_their_language_does(
    source: str, target: str, left: str, given: str, own: bool, joint: str
) -> None:
    joints = Joints(target)
    joints.wrote(left, own=own)
    assert joints.before(given, source) == joint


def test_copies_in_a_translation_from_chinese() -> None:
    joints = Joints("en")
    joints.wrote("Run", own=True)
    assert joints.copy("git", "zh") == " git"
    assert joints.copy("，", "zh") == ","
    assert joints.before("", "zh") == " "
    assert joints.before("", "zh", fixed=True) == ""
    joints.wrote("press", own=True)
    assert joints.copy("<b>", "zh") == " <b>"
    assert joints.before("", "zh") == ""
    joints.wrote("Save", own=True)
    assert joints.copy("</b>", "zh") == "</b>"
    assert joints.before("", "zh") == " "
    joints.wrote("now", own=True)
    assert joints.copy('"', "zh") == '"'
    assert joints.copy("git", "zh") == "git"
