"""Translation and recognition quality: sacreBLEU's BLEU, chrF and TER; jiwer's WER and CER.

Both libraries are imported when a metric is made, not with this module.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from lsgcli.errors import UsageError
from lsgcli.languages import UNSPACED
from lsgcli.metrics.aggregate import SentenceStatistics, percentage_statistics

Rows = list[Sequence[float]]


@dataclass(frozen=True)
class QualityMetric:
    """A corpus metric of hypotheses against one reference each, in percent.

    Attributes:
        name: ``BLEU``, ``chrF``, ``chrF++``, ``TER``, ``WER`` or ``CER``.
        signature: what was computed, by which version, as sacreBLEU writes it.
        rows: sentence statistics of a batch of hypotheses and their references.
        empty: statistics without sentences, to be extended with rows.

    """

    name: str
    signature: str
    rows: Callable[[Sequence[str], Sequence[str]], Rows]
    empty: Callable[[], SentenceStatistics]

    def score(self, hypotheses: Sequence[str], references: Sequence[str]) -> float:
        """Score a corpus held in memory.

        Raises:
            ValueError: if there are not as many references as hypotheses.

        """
        if len(hypotheses) != len(references):
            raise ValueError(f"{len(hypotheses)} hypotheses but {len(references)} references")
        statistics = self.empty()
        statistics.extend(self.rows(hypotheses, references))
        return statistics.score()


def quality_metric(name: str, *, tokenize: str = "13a") -> QualityMetric:
    """Make a metric by name.

    Args:
        name: one of `QUALITY_METRICS`.
        tokenize: sacreBLEU's tokenizer for BLEU, e.g. ``zh``, ``ja-mecab``, ``char``.

    Raises:
        UsageError: if the metric or the tokenizer is unknown, or its library is not installed.

    """
    try:
        make = _MAKERS[name]
    except KeyError:
        known = ", ".join(QUALITY_METRICS)
        raise UsageError(f"no quality metric `{name}`; choose from {known}") from None
    try:
        return make(name, tokenize)
    except ImportError as error:
        raise UsageError(f"{name} needs `{error.name}`: pip install {error.name}") from error


def bleu_tokenizer(language: str) -> str:
    """Name sacreBLEU's tokenizer for a language: of those without spaces, by character.

    >>> bleu_tokenizer("de"), bleu_tokenizer("zh"), bleu_tokenizer("ja")
    ('13a', 'zh', 'char')
    """
    if language in ("zh", "yue"):
        return "zh"
    return "char" if language in UNSPACED else "13a"


def _sacrebleu(name: str, tokenize: str) -> QualityMetric:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    if tokenize not in BLEU.TOKENIZERS:
        known = ", ".join(sorted(BLEU.TOKENIZERS))
        raise UsageError(f"no sacreBLEU tokenizer `{tokenize}`; choose from {known}")
    makers: dict[str, Callable[[], Any]] = {
        "BLEU": lambda: BLEU(tokenize=tokenize, force=True),
        "chrF": CHRF,
        "chrF++": lambda: CHRF(word_order=2),
        "TER": TER,
    }
    metric = makers[name]()

    # sacreBLEU's own significance tests use these hooks: a sentence's statistics have no public
    # interface. test_quality_metrics.py compares them with `corpus_score`.
    def rows(hypotheses: Sequence[str], references: Sequence[str]) -> Rows:
        statistics: Rows = metric._extract_corpus_statistics(hypotheses, [references])
        return statistics

    def value(totals: Sequence[float]) -> float:
        return float(metric._compute_score_from_stats(list(totals)).score)

    width = len(rows(["a"], ["a"])[0])
    signature = f"{name}|{metric.get_signature().format()}"
    return QualityMetric(name, signature, rows, lambda: SentenceStatistics(width, value))


def _jiwer(name: str, _tokenize: str) -> QualityMetric:
    import jiwer

    process: Callable[[str, str], Any] = (
        jiwer.process_words if name == "WER" else jiwer.process_characters
    )

    def row(hypothesis: str, reference: str) -> tuple[float, float]:
        counts = process(reference, hypothesis)
        errors = counts.substitutions + counts.deletions + counts.insertions
        return errors, counts.hits + counts.substitutions + counts.deletions

    def rows(hypotheses: Sequence[str], references: Sequence[str]) -> Rows:
        return [row(h, r) for h, r in zip(hypotheses, references, strict=True)]

    signature = f"{name}|case:mixed|punct:yes|jiwer:{version('jiwer')}"
    return QualityMetric(name, signature, rows, percentage_statistics)


_MAKERS: dict[str, Callable[[str, str], QualityMetric]] = {
    "BLEU": _sacrebleu,
    "chrF": _sacrebleu,
    "chrF++": _sacrebleu,
    "TER": _sacrebleu,
    "WER": _jiwer,
    "CER": _jiwer,
}
QUALITY_METRICS = tuple(_MAKERS)
ERROR_RATES = ("TER", "WER", "CER")  # lower is better
