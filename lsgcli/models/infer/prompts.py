"""Translation prompts of language models: from a chat template, ready-made, or from a file.

A prompt is a list of parts as the manifest has them. The source has a slot of its own, and the
target comes last, so that both can grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lsgcli.errors import UsageError
from lsgcli.models.infer.examples import EXAMPLES
from lsgcli.models.manifest import check_parts

if TYPE_CHECKING:
    from pathlib import Path

SOURCE, TARGET = "{source}", "{target}"
SOURCE_MARK, TARGET_MARK = "lsgSourceMark", "lsgTargetMark"  # words that no template has
INSTRUCTION = "Translate the following text from {from_name} to {to_name}.\n\n"
ONLY = "Answer with the translation and nothing else.\n\n"
# The paper's, as in ictnlp/SiLLM.
ALPACA = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nTranslate the source sentence into target sentence from {from_name} to "
    "{to_name}:\n\n### source sentence:\n",
    SOURCE,
    "\n\n### target sentence:\n",
    TARGET,
)
STOP = " ###"  # ends an example, where no language has it


@dataclass(frozen=True)
class Layout:
    """A prompt, and the tokens that may end the translation."""

    parts: list[str]
    end: list[str]


class Tokenizer(Protocol):
    """What is asked of a tokenizer; Transformers' have it."""

    bos_token: str | None
    eos_token: str
    chat_template: Any

    @property
    def bos_token_id(self) -> int | None:
        """The number of ``bos_token``."""

    @property
    def all_special_tokens(self) -> list[str]:
        """All tokens that are no text."""

    def __call__(self, text: str, /) -> Any:
        """Tokenise: an object with ``input_ids``."""

    def apply_chat_template(self, messages: list[dict[str, str]], **options: Any) -> Any:
        """Render the template."""


def chat(tokenizer: Tokenizer, instruction: str = INSTRUCTION + ONLY) -> Layout:
    """Make the prompt of a chat template, a Hugging Face ``tokenizer``'s.

    The template is rendered with a mark as the source, so that one sees where it goes; what the
    template writes behind an answer ends the translation. Raises UsageError if the tokenizer has
    no template, or one with which the source or the target cannot grow.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise UsageError("this model has no chat template; choose --prompt alpaca or few-shot")
    question = {"role": "user", "content": instruction + SOURCE_MARK}
    answer = {"role": "assistant", "content": TARGET_MARK}
    asked = _render(tokenizer, [question], add_generation_prompt=True)
    whole = _render(tokenizer, [question, answer], add_generation_prompt=False)
    head, mark, middle = asked.partition(SOURCE_MARK)
    if not mark or SOURCE_MARK in middle:
        raise UsageError("the chat template does not hold the source once; use --prompt FILE")
    _, mark, behind = whole.partition(TARGET_MARK)
    if not mark:
        raise UsageError("the chat template does not hold the answer; use --prompt FILE")
    parts = [head, SOURCE, middle.rstrip(" "), TARGET]
    return Layout([part for part in parts if part], _ends(tokenizer, behind))


def alpaca(tokenizer: Tokenizer) -> Layout:
    """The paper's prompt."""
    return Layout([*_bos(tokenizer), *ALPACA], _ends(tokenizer, ""))


def few_shot(tokenizer: Any, source: str, target: str) -> Layout:
    """Examples of translation, for a model that was not trained to follow instructions.

    Raises UsageError for languages of which there are no examples.
    """
    if source not in EXAMPLES or target not in EXAMPLES:
        raise UsageError(
            f"there are no examples of {source}-{target}, only of {', '.join(EXAMPLES)}; "
            "write a prompt of your own and give it with --prompt FILE"
        )
    shots = "".join(
        f"{{from_name}}:\n{one}\n{{to_name}}:\n{other}{STOP}\n\n"
        for one, other in zip(EXAMPLES[source], EXAMPLES[target], strict=True)
    )
    parts = [*_bos(tokenizer), f"{shots}{{from_name}}:\n", SOURCE, "\n{to_name}:\n", TARGET]
    return Layout(parts, [_stop(tokenizer), *_ends(tokenizer, "")])


def from_file(tokenizer: Tokenizer, file: Path) -> Layout:
    """Read a prompt with the slots ``{source}`` and ``{target}``, the latter at its end.

    Raises UsageError if it cannot be read, ManifestError if it has other slots.
    """
    try:
        text = file.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--prompt {file}: {error}") from error
    parts = _split(text)
    check_parts(f"{file}: the prompt", parts, [SOURCE, TARGET])
    if parts[-2] != SOURCE:
        parts[-2] = parts[-2].rstrip(" ")  # the target's first word brings its own
    bos = _bos(tokenizer)
    own = bool(bos) and text.startswith(bos[0])
    return Layout([*([] if own else bos), *parts], _ends(tokenizer, ""))


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for n, piece in enumerate(text.split(SOURCE)):
        parts += [SOURCE] * (n > 0)
        for m, rest in enumerate(piece.split(TARGET)):
            parts += [TARGET] * (m > 0) + [rest]
    return [part for part in parts if part]


def _render(tokenizer: Tokenizer, messages: list[dict[str, str]], **options: Any) -> str:
    """Render the template; a model that can think is asked not to."""
    try:
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, enable_thinking=False, **options
        )
    except Exception as error:  # templates raise what they please
        raise UsageError(f"the chat template fails: {error}; choose another --prompt") from error
    return text


def _ends(tokenizer: Tokenizer, behind: str) -> list[str]:
    """The special token that ends an answer in the template, and the model's own."""
    special = sorted(tokenizer.all_special_tokens, key=len, reverse=True)
    text = behind.lstrip()
    first = next((token for token in special if text.startswith(token)), None)
    found = dict.fromkeys([first, tokenizer.eos_token])
    return [token for token in found if token]


def _bos(tokenizer: Tokenizer) -> list[str]:
    """The token that the tokenizer itself would begin with."""
    bos = tokenizer.bos_token
    return [bos] if bos and tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id] else []


def _stop(tokenizer: Any) -> str:
    """The first token of what ends an example, but for a mere blank."""
    encoded = [
        tokenizer(text, add_special_tokens=False).input_ids for text in ("good.", f"good.{STOP}\n")
    ]
    same = 0
    while same < len(encoded[0]) and encoded[0][same] == encoded[1][same]:
        same += 1
    more = [number for number in encoded[1][same:] if tokenizer.decode([number]).strip()]
    token: str = tokenizer.convert_ids_to_tokens(more[0])
    return token
