"""The units in which delays are counted: words, characters or SentencePiece pieces.

The lengths are exactly SimulEval's, so that scores can be compared: a word is what lies between
two single spaces of a reference (a double space counts as an empty word), and in characters the
reference keeps its spaces while the hypothesis does not.
"""

from collections.abc import Callable, Sequence
from typing import Literal

LatencyUnit = Literal["word", "char", "spm"]
SpmEncode = Callable[[str], Sequence[object]]


def hypothesis_units(text: str, unit: LatencyUnit) -> list[str]:
    """Split a hypothesis into the units that each carry a delay.

    Raises:
        ValueError: for ``spm``, whose pieces cannot be derived from the text; the log names them.

    """
    if unit == "word":
        return text.split()
    if unit == "char":
        return list(text.replace(" ", ""))
    raise ValueError("pieces cannot be derived from the text; read them from `prediction_spm`")


def reference_length(text: str, unit: LatencyUnit, spm_encode: SpmEncode | None = None) -> int:
    """Count the units of a reference as SimulEval does (``Instance.reference_length``).

    Args:
        text: the reference, without its newline.
        unit: the unit in which delays are counted.
        spm_encode: text to pieces; needed for ``spm`` only.

    Raises:
        ValueError: if the unit is ``spm`` and there is no ``spm_encode``.

    """
    if unit == "word":
        return len(text.split(" "))
    if unit == "char":
        return len(text.strip())
    if spm_encode is None:
        raise ValueError("the unit `spm` needs a SentencePiece model")
    return len(spm_encode(text))
