"""Models that are to be converted: a directory of Transformers', a GGUF file, or one on the Hub.

Data only, unless asked otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsgcli.errors import ModelError, ModelNotFoundError, UsageError, one_line
from lsgcli.models.convert import gguf, ollama

if TYPE_CHECKING:
    from lsgcli.models.convert.gguf import Gguf

PATTERNS = ["*.json", "*.model", "*.spm", "*.txt", "*.jinja", "*.safetensors", "README.md"]
PICKLES = ["*.bin", "*.pt", "*.pth"]
REMEDY = "lsg models convert needs PyTorch and Transformers; run: pip install 'lsg[convert]'"


@dataclass(frozen=True)
class Origin:
    """Where the original comes from, and what may be done to read it.

    ``lora`` is the directory of an adapter that is merged into it. The weights are in the
    ``packed`` file, if it came as one; the directory has the rest then.
    """

    directory: Path
    lora: Path | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False
    packed: Gguf | None = None

    @property
    def _trusted(self) -> dict[str, Any]:
        return {"trust_remote_code": True} if self.trust_remote_code else {}

    def config(self) -> Any:
        """The configuration. Raises ModelError."""
        from transformers import AutoConfig

        return self._read(AutoConfig)

    def tokenizer(self) -> Any:
        """The tokenizer. Raises ModelError."""
        from transformers import AutoTokenizer

        return self._read(AutoTokenizer)

    def model(self, kind: Any = None, **options: Any) -> Any:
        """The model, with the adapter merged into it; ``kind`` is its class.

        Raises ModelError, also for weights that are pickled where that was not allowed.
        """
        import transformers

        if kind is None:
            seq2seq = self.config().is_encoder_decoder
            kind = (
                transformers.AutoModelForSeq2SeqLM if seq2seq else transformers.AutoModelForCausalLM
            )
        if self.packed:
            model = self.packed.model(kind, self.config())
        else:
            model = self._unpacked(kind, **options)
        return model if self.lora is None else self._merged(model, self.lora)

    def _unpacked(self, kind: Any, **options: Any) -> Any:
        if not self.allow_pickle and not list(self.directory.glob("*.safetensors")):
            raise ModelError(
                f"{self.directory}: its weights are not in safetensors; pickled ones may run any "
                "code: if you trust them, use --allow-pickle"
            )
        return self._read(kind, use_safetensors=not self.allow_pickle or None, **options)

    def _read(self, kind: Any, **options: Any) -> Any:
        try:
            return kind.from_pretrained(str(self.directory), **self._trusted, **options)
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
            raise ModelError(f"{self.directory}: {one_line(error)}") from error

    def _merged(self, model: Any, adapter: Path) -> Any:
        try:
            from peft import PeftModel
        except ImportError as error:
            raise UsageError("--lora needs PEFT; run: pip install 'lsg[convert]'") from error
        if not list(adapter.glob("*.safetensors")):
            raise ModelError(f"{adapter}: not an adapter of PEFT's with weights in safetensors")
        try:
            return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
            raise ModelError(f"{adapter}: {one_line(error)}") from error


def require() -> None:
    """Make sure that the extra is there. Raises UsageError, which says how to get it."""
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise UsageError(f"{REMEDY} ({error})") from error
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def resolve(name: str, revision: str | None = None, *, allow_pickle: bool = False) -> Path:
    """Give where a model is: a directory or a GGUF file that is there, or a download from the Hub.

    Raises ModelNotFoundError, ModelError.
    """
    if (path := Path(name)).is_dir() or gguf.is_gguf(path):
        return path
    if path.is_file():
        raise ModelError(f"{path}: not a file in GGUF")
    hub = name.count("/") == 1 and ":" not in name and not name.startswith((".", "/", "~"))
    if not hub and (found := ollama.find(name)) is not None:
        return found
    if not hub:
        raise ModelNotFoundError(
            f"{name}: neither a directory, a GGUF file or a model of Ollama's that is here, nor a "
            "name OWNER/MODEL on the Hub"
        )
    from huggingface_hub import snapshot_download

    patterns = PATTERNS + (PICKLES if allow_pickle else [])
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(f"{name}: {one_line(error)}") from error
