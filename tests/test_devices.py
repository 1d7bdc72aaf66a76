"""Where models run: what is chosen, what cannot be, what is said when memory runs out."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LSG, environment, run_lsg
from sentences import SENTENCES

from lsgcli.backends.devices import Placed, computing, placed
from lsgcli.backends.hints import explained
from lsgcli.errors import UsageError

CPU = {"int8", "int8_float32", "float32"}
OLD = {"float32", "int8", "int8_float32"}  # compute capability 6.1
TURING = {"float32", "float16", "int8", "int8_float16", "int8_float32"}
AMPERE = TURING | {"bfloat16", "int8_bfloat16"}
SPARE = 200 << 20  # bytes of addresses: a thousand long sentences at once take 570 to 680 MB more
TOO_OLD = "CUDA driver version is insufficient for CUDA runtime version"
TINY = ("--shape", "tiny", "--device", "cpu", "--no-floor")
ONE_THREAD = environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
GPU = pytest.mark.skipif(not computing().cards, reason="needs a card")


def decided(device: str, compute_type: str, *cards: set[str]) -> Placed:
    def supported(name: str, card: int) -> set[str]:
        return CPU if name == "cpu" else cards[card]

    return placed(device, compute_type, len(cards), supported)


@pytest.mark.parametrize(
    ("device", "compute_type", "cards", "expected"),
    [
        ("auto", "auto", (), Placed("cpu", (), "int8")),
        ("cpu", "auto", (AMPERE,), Placed("cpu", (), "int8")),
        ("cpu", "float32", (), Placed("cpu", (), "float32")),
        ("auto", "auto", (AMPERE,), Placed("cuda", (0,), "int8_bfloat16")),
        ("cuda", "auto", (TURING,), Placed("cuda", (0,), "int8_float16")),
        ("cuda", "auto", (OLD,), Placed("cuda", (0,), "int8")),
        ("cuda", "auto", ({"float16", "float32"},), Placed("cuda", (0,), "float16")),
        ("cuda", "float16", (AMPERE,), Placed("cuda", (0,), "float16")),
        ("cuda:1", "auto", (OLD, AMPERE), Placed("cuda", (1,), "int8_bfloat16")),
        ("cuda:0,1", "auto", (TURING, AMPERE), Placed("cuda", (0, 1), "int8_float16")),
        ("cuda:0,0", "auto", (TURING,), Placed("cuda", (0, 0), "int8_float16")),
    ],
)
def test_what_is_chosen(device, compute_type, cards, expected):
    assert decided(device, compute_type, *cards) == expected


@pytest.mark.parametrize(
    ("device", "compute_type", "cards", "message"),
    [
        ("cuda", "auto", (), "no CUDA device is usable here; use --device cpu"),
        ("cuda:3", "auto", (), "no CUDA device is usable here; use --device cpu"),
        ("cuda:1", "auto", (AMPERE,), "--device cuda:1: there is card 0 only"),
        ("cuda:0,2", "auto", (AMPERE, AMPERE), "--device cuda:0,2: there is cards 0 to 1"),
        ("gpu", "auto", (), "--device gpu: give auto, cpu, cuda, or GPUs as in cuda:0,1"),
        ("cpu:0", "auto", (), "give auto, cpu, cuda"),
        ("cuda:-1", "auto", (), "give auto, cpu, cuda"),
        ("cuda:", "auto", (), "give auto, cpu, cuda"),
        ("cuda", "int4", (OLD,), "not supported on this cuda; it has float32, int8, int8_float32"),
        ("cuda:0,1", "float16", (OLD, AMPERE), "'float16' is not supported on this cuda"),
    ],
)  # fmt: skip
def test_what_cannot_be(device, compute_type, cards, message):
    with pytest.raises(UsageError) as error:
        decided(device, compute_type, *cards)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("CUDA failed with error out of memory"), "out of memory on the card"),
        (RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"), "on the card"),
        (RuntimeError("Library libcublas.so.12 is not found or cannot be loaded"), "lsg[cuda]"),
        (RuntimeError(f"CUDA failed with error {TOO_OLD}"), "driver is too old"),
        (MemoryError("std::bad_alloc"), "out of memory on the machine"),
        (MemoryError(), "out of memory on the machine"),
        (RuntimeError("mkl_malloc: failed to allocate memory"), "out of memory on the machine"),
        (RuntimeError("something else"), None),
        (ValueError("bad"), None),
    ],
)
def test_what_errors_mean(error, message):
    told = explained(error)
    if message is None:
        assert told is None
    else:
        assert told is not None
        assert message in told


@pytest.mark.parametrize("command", ["translate", "asr"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "gpu"], "--device gpu: give auto, cpu, cuda, or GPUs as in cuda:0,1"),
        (["--device", "cuda:7"], "--device cpu" if not computing().cards else "--device cuda:7"),
        (["--compute-type", "int4", "--device", "cpu"], f"it has {', '.join(computing().cpu)}"),
    ],
)
def test_refused_on_the_command_line(command, options, message):
    model = ["--to", "de"] if command == "translate" else ["--model", "digits-en", "--raw", "s16le"]
    result = run_lsg(command, *model, *options, stdin=b"Hello.\n")
    assert (result.code, result.stdout) == (2, b"")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def addresses(command: list[str]) -> int:
    """The bytes of addresses that a sentence takes; CTranslate2 takes more on Intel than on AMD."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=ONE_THREAD) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"Hello.\n")
        process.stdin.flush()
        process.stdout.read(1)
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.stdin.close()
    return int(status.split("VmPeak:")[1].split()[0]) << 10


def test_out_of_memory_is_told(tmp_path):
    long = " ".join(["the house is small and the tree is green"] * 9)
    lines = tmp_path / "lines"
    lines.write_text("Hello.\n" + f"{long}\n" * 3000)

    command = [*LSG, "translate", "--to", "de", "--threads", "1"]
    memory = addresses(command) + SPARE

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    done = subprocess.run(
        [*command, "--batch-size", "4096", str(lines)],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env=ONE_THREAD,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("lsg: error: out of memory on the machine: translate fewer")
    assert done.stderr.count("\n") == 1


def test_a_run_keeps_what_was_decided(tmp_path):
    (tmp_path / "s").write_text(SENTENCES[0] + "\n")
    (tmp_path / "t").write_text("Etwas.\n")
    run = ["eval", "run", "--source", tmp_path / "s", "--target", tmp_path / "t", "--to", "de"]
    result = run_lsg(*run, "--device", "cpu", "--output", tmp_path / "run", "--quiet")
    assert result.code == 0, result.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    kept = json.dumps(record)
    assert '"device": "cpu"' in kept
    assert '"compute_type": "int8"' in kept


@pytest.mark.gpu
@GPU
def test_same_decisions_on_a_card():
    text = "\n".join(SENTENCES).encode()
    options = ["translate", "--to", "de", "--pace", "0", "--format", "jsonl"]
    results = [
        [
            {k: v for k, v in json.loads(line).items() if k in {"type", "text", "delay", "index"}}
            for line in run_lsg(
                *options, "--device", device, "--compute-type", "float32", stdin=text
            ).lines
        ]
        for device in ("cpu", "cuda")
    ]
    assert results[0] == results[1]


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:0,0"])
def test_int8_on_a_card(device):
    result = run_lsg("translate", "--to", "de", "--device", device, stdin=b"Where are you?\n")
    assert (result.code, result.stderr) == (0, "")
    assert len(result.lines) == 1


@pytest.mark.gpu
@GPU
def test_card_runs_out_of_memory():
    line = (" ".join(["the house is small and the tree is green"] * 9) + "\n").encode()
    result = run_lsg(
        *("translate", "--to", "de", "--device", "cuda", "--batch-size", "100000"),
        stdin=line * 200_000,
        timeout=600,
    )
    assert result.code == 0 or "out of memory on the card" in result.stderr


@pytest.mark.gpu
@GPU
def test_doctor_sees_the_card():
    findings = json.loads(run_lsg("doctor", "--json", "--offline").text)
    cuda = next(each for each in findings if each["what"] == "cuda")
    assert cuda["status"] == "ok", cuda


def test_benchmark_of_the_llama_shape_runs_on_a_tiny_one(tmp_path):
    """What is kept ready for a card: the same script, small and on the CPU."""
    script = Path(__file__).parents[1] / "benchmarks" / "gpu_llama.py"
    done = subprocess.run(
        [sys.executable, script, *TINY, "--work", tmp_path],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("prompt")]
    assert [(row[1], row[3]) for row in rows] == [
        (length, batch) for length in ("50", "200", "500") for batch in ("1", "16")
    ]
    assert all(float(row[5]) > 0 and float(row[7]) > 0 for row in rows)
