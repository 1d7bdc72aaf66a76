"""What is stored or sent: manifests, tables, the Hub's answers, recordings, logs, runs."""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.fuzzing import Target, mutated, reshaped
from lsgcli.backends.encoder_decoder import has_start
from lsgcli.backends.pieces import read_names
from lsgcli.backends.vocabulary import SentencePieceVocabulary
from lsgcli.errors import LsgError
from lsgcli.evaluation.journal import SystemLog, journal_line
from lsgcli.evaluation.logs import Instance
from lsgcli.evaluation.rundir import Record, RunDirectory
from lsgcli.evaluation.score import measure_log, summarise
from lsgcli.models import catalog, manifest, provenance, whisper
from lsgcli.models.infer.stored import StoredTokenizer
from lsgcli.models.pull import hub, repository
from lsgcli.text.recording import Replay

if TYPE_CHECKING:
    import random
    from pathlib import Path

ENCODER_DECODER = """version = 1
kind = "encoder-decoder"
directions = ["*-*"]
licence = "MIT"
[source]
tokenizer = {type = "sentencepiece", file = "sentencepiece.bpe.model"}
parts = ["{from}", "{source}", "</s>"]
[target]
parts = ["{to}", "{target}"]
end = ["</s>"]
[codes]
en = "eng_Latn"
de = "deu_Latn"
[policy]
delta = 1.0
alpha = 0.6
[files."model.bin"]
size = 10314325
sha256 = "59604ef2fdecba0e7fd507f7c739c2707a101ccf7d655fa7984bad10cdbefb0a"
"""
WHISPER = """version = 1
kind = "whisper"
directions = ["en-en", "de-en"]
licence = "MIT"
window = 10.0
[policy]
delta = inf
alpha = 0.5
[files]
"""
PULLED = """version = 1
repository = "a/b"
revision = "main"
commit = "d90ca5fe260221311c53c58e660288d3deb8d356"
licence = "mit"
[files."model.bin"]
size = 75538270
sha256 = "59604ef2fdecba0e7fd507f7c739c2707a101ccf7d655fa7984bad10cdbefb0a"
"""


@cache
def embedded() -> Path:
    """The directory of an embedded model."""
    return catalog.embedded()["en-de"]


def manifests(rng: random.Random, folder: Path) -> None:
    """A model's manifest, and the languages that it is asked for."""
    own = (embedded() / "manifest.toml").read_bytes()
    text = rng.choice((own, ENCODER_DECODER.encode(), WHISPER.encode()))
    (folder / "manifest.toml").write_bytes(mutated(rng, text))
    found = manifest.load(folder)
    for pair in [*found.serves("en", "de"), *found.serves(None, "de")]:
        if isinstance(found, manifest.DecoderOnlyManifest):
            _ = [found.resolve(part, *pair) for part in found.prompt.parts]
    manifest.expected(folder, found)


def tables(rng: random.Random, folder: Path) -> None:
    """The tables beside the weights."""
    config = {
        "suppress_ids": [1],
        "lang_ids": [0, 1],
        "decoder_start_token": "<s>",
        "eos_token": "x",
    }
    tokens = ["<|en|>", "<|de|>", "a", "<unk>", "\u2028"]
    tokenizer = {
        "bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": "x",
        "added_tokens_decoder": {"1": {"content": "<s>", "special": True}},
    }  # fmt: skip
    for name, value in {
        "config.json": config,
        "vocabulary.json": tokens,
        "shared_vocabulary.json": tokens,
        "tokenizer_config.json": tokenizer,
    }.items():
        data = json.dumps(reshaped(rng, value, 0.01)).encode()
        (folder / name).write_bytes(mutated(rng, data, 1) if rng.random() < 0.2 else data)
    (folder / "pulled.toml").write_bytes(mutated(rng, PULLED.encode(), 1))
    readers = (
        whisper.manifest,
        has_start,
        lambda at: read_names(at, "source"),
        StoredTokenizer,
        provenance.load,
    )
    refused: LsgError | None = None
    for reader in readers:
        try:
            reader(folder)
        except LsgError as error:
            refused = error
    if refused:
        raise refused


def tokenizers(rng: random.Random, folder: Path) -> None:
    """A SentencePiece model with bits that have changed."""
    data = bytearray((embedded() / "spm.model").read_bytes())
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file = folder / "spm.model"
    file.write_bytes(data)
    vocabulary = SentencePieceVocabulary(file)
    vocabulary.encode_word("houses", False)
    _ = [vocabulary.bytes(number) for number in range(0, vocabulary.size, 50)]


def hub_answers(rng: random.Random, folder: Path) -> None:
    """What the Hub says of a repository."""
    lfs = {"size": 5_000_000, "sha256": "0" * 64, "pointerSize": 134}
    weights = {"rfilename": "model.bin", "size": 5_000_000, "blobId": "0" * 40, "lfs": lfs}
    small = {"rfilename": "config.json", "size": 136, "blobId": "1" * 40}
    answer = {
        "id": "a/b", "sha": "2" * 40, "siblings": [weights, small], "tags": [],
        "cardData": {"license": "mit"},
    }  # fmt: skip
    data = json.dumps(reshaped(rng, answer, 0.05)).encode()
    hub._needed(repository.parse("a/b", mutated(rng, data, 2)))


SETTINGS = {
    "to": "de", "from": "en", "policy": "lsg", "latency": "low", "lower": 1, "upper": 4,
    "delta": 1.0, "alpha": 0.5, "direction": "forward", "segment": "line", "protect": True,
    "as": "json", "json_field": ["a"], "floor": "auto", "idle": 2.0, "output_format": "text",
}  # fmt: skip


def recordings(rng: random.Random, folder: Path) -> None:
    """A recording for ``lsg replay``."""
    head = {"recording": 2, "lsg": "0", "settings": SETTINGS, "without": ["--model"]}
    lines, total, at = [json.dumps(reshaped(rng, head, 0.01))], 0, 0.0
    for n in range(rng.randrange(6)):
        at += n
        data = rng.randbytes(rng.randrange(30))
        total = zlib.crc32(data, zlib.crc32(repr(at).encode(), total))
        lines.append(json.dumps({"at": at, "data": base64.b64encode(data).decode(), "sum": total}))
    file = folder / "recording"
    file.write_bytes(mutated(rng, "".join(f"{line}\n" for line in lines).encode(), 3))
    with file.open("rb") as stream:
        replay = Replay(stream, str(file))
        assert set(replay.header.settings.given()) <= {*SETTINGS, "from_", "as_"}
        while not replay.ended:
            replay.get(rng.choice((None, 0.5)))


SIMULEVAL = {
    "index": 0, "prediction": "Das ist gut.", "delays": [1, 2, 3], "elapsed": [1.5, 2.5, 3.5],
    "prediction_length": 3, "reference": "Das ist gut.", "source": "That is fine.",
    "source_length": 3,
}  # fmt: skip
OMNISTEVAL = {
    "source": ["a.wav"], "prediction": "Das ist gut.", "delays": [100, 200, 300],
    "elapsed": [150, 250, 350], "source_length": 900, "reference": "Das ist gut.",
}  # fmt: skip
SIMULSTREAM = [
    {"model_loading_time": 0.5},
    {"id": 1, "metadata": {"wav_name": "a.wav"}},
    {"id": 1, "total_audio_processed": 1.0, "computation_time": 0.1,
     "generated_tokens": ["\u2581a", "\u2581b"], "deleted_tokens": []},
    {"id": 1, "total_audio_processed": 2.0, "computation_time": 0.1,
     "generated_tokens": ["\u2581c"], "deleted_tokens": ["\u2581b"]},
]  # fmt: skip


def score_logs(rng: random.Random, folder: Path) -> None:
    """A log of any of the three kinds, scored."""
    one = rng.choice(([SIMULEVAL, SIMULEVAL | {"index": 1}], [OMNISTEVAL] * 2, SIMULSTREAM))
    lines = [json.dumps(reshaped(rng, each, 0.02)) for each in one]
    file = folder / "log"
    file.write_bytes(mutated(rng, "".join(f"{line}\n" for line in lines).encode(), 2))
    summarise(measure_log(file))


def run_directories(rng: random.Random, folder: Path) -> None:
    """A run that is to go on."""
    sources = {n: f"{n:016x}" for n in range(3)}
    log = SystemLog(folder / "wait-3", sources)
    log.path.mkdir(exist_ok=True)
    for file in log.path.iterdir():
        file.unlink()
    instances = [
        Instance(n, "Das ist gut.", (1, 2, 3), 3, "text", "Gut.", "That is fine.") for n in range(3)
    ]
    if rng.random() < 0.3:
        log.finish(instances)
        file = rng.choice(sorted(log.path.iterdir()))
    else:
        file = log.path / "instances.part"
        file.write_bytes(b"".join(journal_line(each, sources[each.index]) for each in instances))
    before = file.read_bytes()
    file.write_bytes(mutated(rng, before, 2))
    record = {"settings": {"a": {"b": 1}}, "systems": {"wait-3": {"k": 3}}, "about": {}}
    data = json.dumps(reshaped(rng, record, 0.03)).encode()
    (folder / "run.json").write_bytes(mutated(rng, data, 1))
    RunDirectory(folder).record().changes(Record({"a": 2}, {"wait-3": {}}))
    if log.is_finished():
        assert file.read_bytes() == before
    else:
        found = log.instances()
        assert [found[index] for index in sorted(found)] == [
            instances[index] for index in sorted(found)
        ]


TARGETS: dict[str, Target] = {
    "manifests": manifests,
    "tables": tables,
    "tokenizers": tokenizers,
    "hub answers": hub_answers,
    "recordings": recordings,
    "score logs": score_logs,
    "run directories": run_directories,
}
