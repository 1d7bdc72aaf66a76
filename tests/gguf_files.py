"""Small real files in GGUF: random models of the families, packed as llama.cpp packs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from families import CHATML, GROUPED, byte_level, save

if TYPE_CHECKING:
    from pathlib import Path

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
KINDS = {"qwen2": "Qwen2", "llama": "Llama"}
CONTROL, PLAIN = 3, 1  # types of tokens


def make(directory: Path, architecture: str) -> Path:
    """Save a random model as Transformers does, in a new directory."""
    import torch

    directory.mkdir(parents=True)
    torch.manual_seed(7)
    tokenizer = byte_level(
        SPECIAL, eos_token=SPECIAL[0], pad_token=SPECIAL[0], additional_special_tokens=SPECIAL[1:]
    )
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(directory)
    kind = KINDS[architecture]
    save(directory, f"{kind}ForCausalLM", f"{kind}Config", len(tokenizer), **GROUPED)
    return directory


def pack(directory: Path, file: Path, packed: str = "F16") -> Path:
    """Write the model of a directory into a file; ``packed``: how its matrices are stored."""
    import gguf
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(directory)
    config = model.config
    architecture = config.model_type
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_license("cc0-1.0")
    _add_tokens(writer, directory, AutoTokenizer.from_pretrained(directory))
    kind = {value: key for key, value in gguf.MODEL_ARCH_NAMES.items()}[architecture]
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        base, suffix = name.rsplit(".", 1)
        array = _permuted(base, tensor, config).numpy()
        stored = gguf.GGMLQuantizationType[packed if array.ndim > 1 else "F32"]
        writer.add_tensor(
            f"{names.get_name(base)}.{suffix}", gguf.quantize(array, stored), raw_dtype=stored
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_tokens(writer: Any, directory: Path, tokenizer: Any) -> None:
    described = json.loads((directory / "tokenizer.json").read_text())
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    special = set(tokenizer.all_special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([CONTROL if token in special else PLAIN for token in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in described["model"]["merges"]])
    number = tokenizer.convert_tokens_to_ids
    writer.add_eos_token_id(number(SPECIAL[0]))
    writer.add_eot_token_id(number(SPECIAL[2]))
    writer.add_pad_token_id(number(SPECIAL[0]))
    writer.add_chat_template(tokenizer.chat_template)


def _permuted(name: str, tensor: Any, config: Any) -> Any:
    """Queries and keys as llama.cpp rotates them, in pairs of neighbours."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    last = name.rpartition(".")[2]
    if config.model_type != "llama" or last not in heads:
        return tensor
    split = tensor.reshape(heads[last], 2, tensor.shape[0] // heads[last] // 2, *tensor.shape[1:])
    return split.swapaxes(1, 2).reshape(tensor.shape).contiguous()
