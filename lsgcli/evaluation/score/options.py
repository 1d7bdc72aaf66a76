"""What to score and how."""

from collections.abc import Sequence
from dataclasses import dataclass

from lsgcli.errors import UsageError
from lsgcli.evaluation.logs import Instance
from lsgcli.evaluation.score.timelines import LATENCY_METRICS
from lsgcli.metrics.neural import COMET, Comet
from lsgcli.metrics.units import LatencyUnit, SpmEncode, reference_length


@dataclass(frozen=True)
class ScoreOptions:
    """What to score and how.

    Attributes:
        quality: names from `lsgcli.metrics.quality.QUALITY_METRICS`, or ``COMET``.
        latency: names from `LATENCY_METRICS`.
        unit: what each delay belongs to.
        tokenize: sacreBLEU's tokenizer for BLEU.
        use_reference_length: target length in AL, LAAL, AP and YAAL: of the reference, where
            there is one, or always of the hypothesis (SimulEval's ``--no-use-ref-len``).
        spm_encode: text to pieces, for the unit spm.
        comet: the checkpoint, for ``COMET``.

    """

    quality: Sequence[str] = ("BLEU", "chrF")
    latency: Sequence[str] = tuple(LATENCY_METRICS)
    unit: LatencyUnit = "word"
    tokenize: str = "13a"
    use_reference_length: bool = True
    spm_encode: SpmEncode | None = None
    comet: Comet | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.latency if name not in LATENCY_METRICS]
        if unknown:
            known = ", ".join(LATENCY_METRICS)
            raise UsageError(f"no latency metric `{unknown[0]}`; choose from {known}")
        if COMET in self.quality and self.comet is None:
            raise UsageError("COMET needs a checkpoint: --comet-model of lsg eval score or compare")
        if self.unit == "spm" and self.use_reference_length and self.spm_encode is None:
            raise UsageError("the latency unit spm needs a SentencePiece model")

    def target_length(self, instance: Instance) -> int:
        """Return the number of target units by which a sentence's lagging is computed.

        A blank reference counts as none: the length is that of the hypothesis.
        """
        reference = instance.reference or ""
        if not reference.strip() or not self.use_reference_length:
            return len(instance.delays)
        return reference_length(reference, self.unit, self.spm_encode)
