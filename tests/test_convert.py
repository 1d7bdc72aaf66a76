"""`lsg models convert`: what it refuses, what it writes, and prompts of every kind."""

from __future__ import annotations

import importlib.util
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_lsg
from hub_server import Hub
from test_models_pull import surroundings

from lsgcli.errors import ManifestError, UsageError
from lsgcli.models.convert.workplace import workplace
from lsgcli.models.infer import Overrides
from lsgcli.models.infer.layouts import layouts
from lsgcli.models.infer.stored import complete
from lsgcli.models.manifest import load

if TYPE_CHECKING:
    from pathlib import Path

HAS_TORCH = importlib.util.find_spec("torch") and importlib.util.find_spec("transformers")
needs_torch = pytest.mark.skipif(
    not HAS_TORCH, reason="needs PyTorch and Transformers: pip install 'lsg[convert]'"
)
quietly = pytest.mark.filterwarnings("ignore")


@pytest.mark.skipif(bool(HAS_TORCH), reason="the extra is installed")
def test_without_the_extra_one_line_says_what_to_run(tmp_path: Path) -> None:
    done = run_lsg("models", "convert", tmp_path, "--output", tmp_path / "out")
    assert done.code == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'lsg[convert]'" in done.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = run_lsg("models", "convert", tmp_path, "--output", tmp_path / "out")
    assert done.code == 2
    assert "is there already" in done.stderr


def test_a_directory_needs_an_output(tmp_path: Path) -> None:
    done = run_lsg("models", "convert", tmp_path)
    assert done.code == 2
    assert "--output DIR is missing" in done.stderr


def test_an_unknown_quantization(tmp_path: Path) -> None:
    done = run_lsg("models", "convert", "x", "--output", tmp_path / "o", "--quantization", "int3")
    assert done.code == 2
    assert "int8_float16" in done.stderr


@pytest.mark.parametrize(
    ("kind", "tokens", "has_start", "source", "target", "codes"),
    [
        ("marian", ["a"], True, ["{source}", "</s>"], ["{target}"], {}),
        ("marian", [">>deu<<"], True, [">>deu<<", "{source}", "</s>"], ["{target}"], {}),
        (
            "m2m_100", ["eng_Latn", "deu_Latn"], True,
            ["{from}", "{source}", "</s>"], ["{to}", "{target}"],
            {"de": "deu_Latn", "en": "eng_Latn"},
        ),
        (
            "m2m_100", ["__en__", "__de__"], True,
            ["__{from}__", "{source}", "</s>"], ["__{to}__", "{target}"],
            {"de": "de", "en": "en"},
        ),
        (
            "mbart", ["en_XX", "de_DE"], True,
            ["{from}", "{source}", "</s>"], ["{to}", "{target}"],
            {"de": "de_DE", "en": "en_XX"},
        ),
        (
            "mbart", ["en_XX"], False,
            ["{source}", "</s>", "{from}"], ["{to}", "{target}"],
            {"en": "en_XX"},
        ),
        ("t5", ["<2de>"], True, ["<2{to}>", "{source}", "</s>"], ["{target}"], {"de": "de"}),
        (
            "t5", ["a"], True,
            ["translate {from_name} to {to_name}:", "{source}", "</s>"], ["{target}"], {},
        ),
    ],
)  # fmt: skip
def test_layouts(kind, tokens, has_start, source, target, codes) -> None:
    found = layouts(kind, tokens, end="</s>", has_start=has_start, to="de")
    assert (found.source, found.target, found.codes) == (source, target, codes)


def test_a_marian_of_many_languages_must_be_told_which() -> None:
    with pytest.raises(UsageError, match=">>fra<<"):
        layouts("marian", [">>fra<<", ">>deu<<"], end="</s>", has_start=True, to="it")


@pytest.fixture(scope="session")
def llama3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from families import FAMILIES

    (family,) = (each for each in FAMILIES if each.name == "Llama 3")
    return family.make(tmp_path_factory.mktemp("convert") / "llama3")


@quietly
@needs_torch
def test_a_model_of_the_hub_s_is_known_by_its_name(llama3: Path, tmp_path: Path) -> None:
    hub = Hub()
    hub.add("acme/chat", llama3)
    around = surroundings(hub, tmp_path / "home")
    done = run_lsg("models", "convert", "acme/chat", **around)
    hub.close()
    assert done.code == 0, done.stderr
    model = tmp_path / "home" / "models" / "acme--chat"
    assert done.text.startswith(f"{model}: KL to the original")
    translate = ("translate", "--model", "acme/chat", "--from", "en", "--to", "de")
    assert run_lsg(*translate, stdin=b"Good morning\n", **around).code == 0
    listed = run_lsg("models", "list", **around)
    assert "acme/chat\tyes\t" in listed.text
    assert run_lsg("models", "rm", "acme/chat", "--yes", **around).code == 0
    assert not model.exists()


@quietly
@needs_torch
@pytest.mark.parametrize("prompt", ["chat", "alpaca", "few-shot", "file"])
def test_prompts(llama3: Path, tmp_path: Path, prompt: str) -> None:
    """The whole of it: a model that `lsg translate` takes, whose prompt is a text's tokens."""
    from lsgcli.backends import open_backend
    from lsgcli.core.backend import Placement
    from lsgcli.core.steps import Query
    from lsgcli.models.catalog import find
    from lsgcli.models.convert.loading import Origin

    file = tmp_path / "prompt.txt"
    file.write_text("From {from_name} to {to_name}, please: {source} => {target}", encoding="utf-8")
    arguments = ["--from", "en", "--to", "de", "--prompt", file if prompt == "file" else prompt]
    done = run_lsg("models", "convert", llama3, "--output", tmp_path / "out", *arguments)
    assert done.code == 0, done.stderr
    assert "same best token at" in done.text
    shown = run_lsg("translate", "--to", "de", "--model", tmp_path / "out", stdin=b"Good morning\n")
    assert shown.code == 0, shown.stderr

    model: Any = find(str(tmp_path / "out"), None, "de")
    lexicon: Any = open_backend(model, Placement()).lexicon
    text = (
        "".join(model.manifest.layout("en", "de"))
        .replace("{source}", "Good morning")
        .replace("{target}", "")
    )
    whole = Origin(llama3).tokenizer()(text, add_special_tokens=False).input_ids
    assert lexicon.prompt(Query(("Good", "morning"), ())) == tuple(whole)
    assert not text.endswith(" ")
    assert "{" not in text


@quietly
@needs_torch
def test_the_end_of_an_example_ends_the_translation(llama3: Path, tmp_path: Path) -> None:
    from lsgcli.models.convert.loading import Origin
    from lsgcli.models.infer import prompts

    tokenizer = Origin(llama3).tokenizer()
    layout = prompts.few_shot(tokenizer)
    close = layout.example[-1]
    first = tokenizer("Good.", add_special_tokens=False).input_ids
    whole = tokenizer(f"Good.{close}", add_special_tokens=False).input_ids
    assert whole[: len(first)] == first
    behind = whole[len(first) : len(first) + 2]  # a mere blank may come first
    assert layout.end[0] in tokenizer.convert_ids_to_tokens(behind)


@quietly
@needs_torch
def test_examples_are_shown_in_the_languages_that_are_asked_for(
    llama3: Path, tmp_path: Path
) -> None:
    """One model serves them all; a chat model does without where there are none."""
    from lsgcli.models.infer.examples import SHOTS

    done = run_lsg("models", "convert", llama3, "--output", tmp_path / "out")
    assert done.code == 0, done.stderr
    model: Any = load(tmp_path / "out")
    text = "".join(model.layout("de", "zh"))
    for one, other in zip(SHOTS["de"], SHOTS["zh"], strict=True):
        assert text.index(one) < text.index(other) < text.index("{source}")
    assert text.count("<|start_header_id|>user") == len(SHOTS["de"]) + 1
    assert model.layout("de", "sv")[0].count("<|start_header_id|>user") == 1
    shown = run_lsg(
        "translate", "--from", "de", "--to", "zh", "--model", tmp_path / "out", stdin=b"Guten Tag\n"
    )
    assert shown.code == 0, shown.stderr


@quietly
@needs_torch
def test_a_base_model_needs_examples(llama3: Path, tmp_path: Path) -> None:
    arguments = ["--from", "en", "--to", "sv", "--prompt", "few-shot"]
    done = run_lsg("models", "convert", llama3, "--output", tmp_path / "out", *arguments)
    assert done.code == 2
    assert "--prompt few-shot has no examples in sv, only in en, de" in done.stderr
    assert not (tmp_path / "out").exists()


@quietly
@needs_torch
@pytest.mark.parametrize(
    "text", ["no slots", "{source}", "{target} {source}", "{source} {source} {target}"]
)
def test_a_prompt_file_that_cannot_grow(llama3: Path, tmp_path: Path, text: str) -> None:
    from lsgcli.models.convert.loading import Origin
    from lsgcli.models.infer import prompts

    (tmp_path / "p").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match="must hold"):
        prompts.from_file(Origin(llama3).tokenizer(), tmp_path / "p")


@quietly
@needs_torch
@pytest.mark.parametrize(
    "template",
    [
        "no source",
        "{{ messages[0]['content'] }} {{ messages[0]['content'] }}",
        "{{ raise_exception('no') }}",
    ],
)
def test_a_template_that_cannot_grow(llama3: Path, template: str) -> None:
    from lsgcli.models.convert.loading import Origin
    from lsgcli.models.infer import prompts

    tokenizer = Origin(llama3).tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(UsageError, match="template"):
        prompts.chat(tokenizer)


@quietly
@needs_torch
def test_an_adapter_is_merged(llama3: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    from lsgcli.backends import open_backend
    from lsgcli.core.backend import Placement
    from lsgcli.models.catalog import find
    from lsgcli.models.convert import Request, convert
    from lsgcli.models.convert.check import answers, compare
    from lsgcli.models.convert.loading import Origin
    from lsgcli.models.convert.original import Original
    from lsgcli.models.infer.examples import EXAMPLES

    origin = Origin(llama3)
    torch.manual_seed(3)
    model = get_peft_model(origin.model(), LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.3)
    model.save_pretrained(str(tmp_path / "adapter"))
    request = Request(
        str(llama3),
        tmp_path / "out",
        "float32",
        Overrides("en", "de"),
        lora=tmp_path / "adapter",
        tried=False,
    )
    agreement = convert(request)
    assert agreement
    assert agreement.max_kl < 1e-4
    backend = open_backend(find(str(tmp_path / "out"), "en", "de"), Placement("cpu", "float32"))
    bare = Original(origin.model(dtype=torch.float32), origin.tokenizer())
    assert compare(bare, answers(backend, EXAMPLES["en"])).mean_kl > 0.01


@quietly
@needs_torch
def test_pickled_weights_must_be_asked_for(llama3: Path, tmp_path: Path) -> None:
    import torch

    from lsgcli.models.convert.loading import Origin

    directory = shutil.copytree(llama3, tmp_path / "pickled")
    torch.save(Origin(llama3).model().state_dict(), directory / "pytorch_model.bin")
    (directory / "model.safetensors").unlink()
    options = ("--from", "en", "--to", "de", "--output", tmp_path / "out")
    done = run_lsg("models", "convert", directory, *options)
    assert done.code == 1
    assert "--allow-pickle" in done.stderr
    assert list(tmp_path.iterdir()) == [directory]  # nothing half done is left
    done = run_lsg("models", "convert", directory, *options, "--allow-pickle")
    assert done.code == 0, done.stderr


@needs_torch
def test_a_name_that_is_none(tmp_path: Path) -> None:
    done = run_lsg("models", "convert", "nothing-here", "--output", tmp_path / "out")
    assert done.code == 2
    assert "neither a directory, a GGUF file" in done.stderr


def test_the_help_says_what_to_install() -> None:
    assert "pip install 'lsg[convert]'" in " ".join(
        run_lsg("models", "convert", "--help").text.split()
    )


@needs_torch
def test_what_a_killed_conversion_left_is_deleted(tmp_path: Path) -> None:
    """Whatever is converted next; but not what a process is working on."""
    left, busy = tmp_path / ".mine.converting", tmp_path / ".other.converting"
    for place in (left, busy):
        (place / "model").mkdir(parents=True)
        (place / "model" / "model.bin").write_bytes(b"half")
    with workplace(tmp_path / "other"):
        (busy / "model").mkdir()
        done = run_lsg("models", "convert", "nothing-here", "--output", tmp_path / "out")
        assert done.code == 2
        assert not left.exists()
        assert (busy / "model").exists()
    assert list(tmp_path.iterdir()) == []


@quietly
@needs_torch
def test_all_end_tokens_of_the_generation_s_configuration(llama3: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(llama3, tmp_path / "original")
    tokenizer = json.loads((directory / "tokenizer.json").read_text())
    numbers = {each["content"]: each["id"] for each in tokenizer["added_tokens"]}
    ends = ["<|end_of_text|>", "<|eot_id|>"]
    config = {"eos_token_id": [numbers[name] for name in ends]}
    (directory / "generation_config.json").write_text(json.dumps(config))
    out = tmp_path / "out"
    done = run_lsg("models", "convert", directory, "-o", out, "--no-compare", "--no-try")
    assert done.code == 0, done.stderr
    manifest: Any = load(out)
    assert set(ends) <= set(manifest.prompt.end)
    # the same of a model that was converted by others
    (out / "manifest.toml").unlink()
    for name in ("tokenizer_config.json", "generation_config.json", "chat_template.jinja"):
        if (directory / name).exists():
            shutil.copyfile(directory / name, out / name)
    complete(out, Overrides())
    completed: Any = load(out)
    assert set(ends) <= set(completed.prompt.end)


@quietly
@needs_torch
def test_what_is_done_is_told(llama3: Path, tmp_path: Path) -> None:
    """The model can be used before it is tried and compared."""
    done = run_lsg(
        "models", "convert", llama3, "-o", tmp_path / "out", "--from", "en", "--to", "de"
    )
    assert done.code == 0, done.stderr
    steps = ["converting", "writing the manifest", "can be used", "trying it", "comparing"]
    places = [done.stderr.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
