"""Every model family: does it convert, and is the converted model the same?

Small random models of each family, with tokenizers of its kind (tests/families.py), go through
``lsg models convert`` in float32 and int8. KL is KL(original || converted) in nats of next-token
distributions; the original is the model as Transformers runs it. Decisions: LSG over 20 sentences,
the engine on the converted float32 model against one plain forward pass of the original for every
distribution (tests/brute.py); words, delays and rules must all be equal.

    python -m benchmarks.families [NAME...] > benchmarks/results/families.txt
"""

from __future__ import annotations

import platform
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from brute import Brute
from families import FAMILIES, Family
from sentences import SENTENCES
from test_engine import commits, expected, simulate

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.models.catalog import find
from lsgcli.models.convert import Request, convert
from lsgcli.models.convert.check import OriginalBackend
from lsgcli.models.convert.loading import Origin
from lsgcli.models.convert.original import Original
from lsgcli.models.infer import Overrides
from lsgcli.models.infer.examples import EXAMPLES
from lsgcli.policy.lsg import Lsg

TWENTY = [*SENTENCES, *EXAMPLES["en"], "Is the naïve 🙂 server's 42nd answer right?"]
SOURCES = [tuple(sentence.split()) for sentence in TWENTY]
POLICY = Lsg(0.5, 0.6, 1, 4)


def equal_decisions(origin: Path, converted: Path) -> tuple[int, int, set[str]]:
    """How many of the sentences have equal decisions, of how many; by which rules."""
    import torch

    backend = open_backend(find(str(converted), "en", "de"), Placement(compute_type="float32"))
    backend.ready()
    source = Origin(origin)
    original = Original(source.model(dtype=torch.float32), source.tokenizer())
    plain = OriginalBackend(original, backend)
    equal, rules = 0, set()
    for words, events in zip(SOURCES, simulate(backend, SOURCES, POLICY), strict=True):
        written = commits(events)
        equal += written == expected(plain, Brute(plain).lsg(words, POLICY))
        rules |= {rule for _, _, rule in written}
    return equal, len(SOURCES), rules


def row(family: Family, directory: Path) -> str:
    """A line of the table."""
    origin = family.make(directory / "original")
    found = {}
    for quantization in ("float32", "int8"):
        request = Request(
            str(origin),
            directory / quantization,
            quantization,
            Overrides("en", "de", family.prompt),
            tried=False,
        )
        agreement = convert(request)
        assert agreement is not None
        found[quantization] = agreement
    equal, total, rules = equal_decisions(origin, directory / "float32")
    whole, rounded = found["float32"], found["int8"]
    return (
        f"{family.name:<18} yes       {whole.mean_kl:8.1e} {whole.max_kl:8.1e}   "
        f"{rounded.mean_kl:8.1e} {100 * rounded.same:6.1f}%      {equal:2}/{total}  "
        f"{', '.join(sorted(rules))}"
    )


def main() -> None:
    """Print the table."""
    import ctranslate2
    import torch
    import transformers

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"# python -m benchmarks.families   (Python {platform.python_version()}, CTranslate2")
    print(f"# {ctranslate2.__version__}, Transformers {transformers.__version__}, torch "
          f"{torch.__version__}; CPU; random weights)")  # fmt: skip
    print("family             converts  KL float32: mean, max   KL int8  argmax int8  decisions")
    for family in FAMILIES:
        if len(sys.argv) > 1 and family.name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as directory:
            try:
                print(row(family, Path(directory)), flush=True)
            except Exception as error:
                print(f"{family.name:<18} NO: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
