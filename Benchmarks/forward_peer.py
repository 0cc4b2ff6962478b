"""The peer of the forward pass: torch eager with transformers' models, on two threads.

    python forward_peer.py make gpt2|minilm FOLDER          random weights, and inputs of each shape
    python forward_peer.py golden MODEL GOLDEN INPUTS float32|float64
    python forward_peer.py serve MODEL INPUTS float32|float64     one pass for each line on stdin
    python forward_peer.py verify MODEL GOLDEN float32|float64    what a script in CI does instead of us
    python forward_peer.py generate MODEL TOKENS COUNT float32|float64
"""
import os
import sys
import time

import numpy as np
import torch

torch.set_num_threads(2)
torch.set_grad_enabled(False)

SHAPES = {"gpt2": [(1, 64), (1, 512), (1, 1024)], "minilm": [(8, 128)]}


def make(kind, folder):
    import transformers

    torch.manual_seed(7)
    if kind == "gpt2":
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config())
    else:  # the sizes of all-MiniLM-L6-v2
        model = transformers.BertModel(transformers.BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536))
    model.eval().save_pretrained(folder)
    generator = np.random.default_rng(7)
    for batch, length in SHAPES[kind]:
        ids = generator.integers(0, model.config.vocab_size, (batch, length), dtype=np.int64)
        np.savez(f"{folder}/inputs-{batch}x{length}.npz", **{"input/input_ids": ids})


def load(folder, precision):
    import transformers

    kind = transformers.AutoConfig.from_pretrained(folder).model_type
    reader = transformers.GPT2LMHeadModel if kind == "gpt2" else transformers.BertModel
    model = reader.from_pretrained(folder, attn_implementation="eager")
    return model.to(getattr(torch, precision)).eval()


def run(model, inputs):
    ids = torch.from_numpy(np.load(inputs)["input/input_ids"])
    if model.config.model_type == "gpt2":
        return {"output/logits": model(input_ids=ids, use_cache=False).logits}
    outputs = model(input_ids=ids)
    return {"output/last_hidden_state": outputs.last_hidden_state,
            "output/pooler_output": outputs.pooler_output}


def main():
    work, *words = sys.argv[1:]
    if work == "make":
        make(*words)
    elif work == "golden":
        folder, golden, inputs, precision = words
        outputs = run(load(folder, precision), inputs)
        np.savez(golden, **np.load(inputs), **{name: value.numpy() for name, value in outputs.items()})
    elif work == "serve":
        folder, inputs, precision = words
        model = load(folder, precision)
        for _ in sys.stdin:
            begin = time.perf_counter()
            run(model, inputs)
            print(time.perf_counter() - begin, flush=True)
    elif work == "generate":
        folder, tokens, count, precision = words
        ids = torch.tensor([[int(token) for token in tokens.split(",")]])
        made = load(folder, precision).generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=int(count), do_sample=False,
            pad_token_id=0, eos_token_id=None)
        print(",".join(str(token) for token in made[0, ids.shape[1]:].tolist()))
    else:
        folder, golden, precision = words
        stored = np.load(golden)
        for name, value in run(load(folder, precision), golden).items():
            if not np.allclose(value.numpy(), stored[name], rtol=1e-4, atol=1e-4):
                sys.exit(f"{name} differs")


if __name__ == "__main__":
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    main()
