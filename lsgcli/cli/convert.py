"""``lsg models convert``: a model of Transformers' made usable here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lsgcli.log import logger

FAR = 0.05  # nats, on average; int8 takes a hundredth
FROM_TO = "of the manifest; by default all the model has tokens for."


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="NAME|DIR|FILE",
            help="A model on the Hub, its directory, a GGUF file, or NAME:TAG of Ollama's.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where to put it. (default: where pulled ones are, by its own name)",
            show_default=False,
        ),
    ] = None,
    quantization: Annotated[
        str,
        typer.Option(
            "--quantization",
            metavar="TYPE",
            help="int8, int8_float16, int8_bfloat16, float16, bfloat16, float32.",
        ),
    ] = "int8",
    lora: Annotated[
        Path | None,
        typer.Option("--lora", metavar="ADAPTER", help="A PEFT adapter to merge first."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="LANG", help=f"Source language {FROM_TO}")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="LANG", help=f"Target language {FROM_TO}")
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            metavar="chat|alpaca|few-shot|FILE",
            help="How a language model is asked. A file holds {source} and ends with {target}. "
            "(default: its chat template, or few-shot, which is examples)",
        ),
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="REV", help="Of a model on the Hub.")
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--licence", metavar="NAME", help="(default: as the model card says)"),
    ] = None,
    no_try: Annotated[
        bool,
        typer.Option(
            "--no-try",
            help="Do not look for thresholds and placeholders that fit it; those are Llama 2's.",
        ),
    ] = False,
    no_compare: Annotated[
        bool, typer.Option("--no-compare", help="Do not compare it with the original afterwards.")
    ] = False,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Also read weights that could run code.")
    ] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run the Python code of the model.")
    ] = False,
) -> None:
    """Convert a model for lsg, write its manifest, and compare it with the original.

    Needs PyTorch and Transformers: pip install 'lsg[convert]'. The model can be used as soon as
    that is said, while it is still being compared. It is known by its name, for --model.

    Examples:
      lsg models convert qwen2.5-1.5b
      lsg models convert qwen2.5-1.5b-instruct-q8_0.gguf
      lsg models convert qwen2.5:1.5b

    """
    from lsgcli.models import registry
    from lsgcli.models.convert import Request
    from lsgcli.models.convert import convert as run
    from lsgcli.models.infer import Overrides

    if entry := registry.load().get(source):
        source, revision = entry.repository, revision or entry.revision or None
    output = output or _place(source)
    agreement = run(
        Request(
            source,
            output,
            quantization,
            Overrides(from_, to, prompt, licence),
            lora=lora,
            revision=revision,
            tried=not no_try,
            compare=not no_compare,
            allow_pickle=allow_pickle,
            trust_remote_code=trust_remote_code,
        )
    )
    print(f"{output}: {agreement}" if agreement else output)
    if agreement and agreement.mean_kl > FAR:
        logger.warning(
            "the converted model is not like the original: its architecture may have something "
            "that CTranslate2 does not; try --quantization float32 to see if it is the rounding"
        )


def _place(source: str) -> Path:
    """Where a model goes by its own name: that of the Hub, of a file, or of Ollama's."""
    from lsgcli.errors import UsageError
    from lsgcli.models import store

    path = Path(source)
    name = path.stem if path.is_file() else source.replace(":", "-")
    if path.is_dir() or not store.is_name(name):
        raise UsageError("--output DIR is missing: where is the converted model to be?")
    return store.place(name)
