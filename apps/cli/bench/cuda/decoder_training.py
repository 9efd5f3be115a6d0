"""The step of decoder-training.bench.ts: weights and activations in bfloat16, AdamW on float32 copies."""

import torch

import peer
from qwen2 import Qwen2


def build(sizes, device, compiled):
    config = sizes["config"]
    model = peer.spread(Qwen2(config)).to(device, torch.bfloat16)
    optimizer = peer.MasterWeights(model.parameters(), device)
    loss = peer.compile_if(compiled, model)
    ids = torch.randint(config["vocabSize"], (sizes["batch"], sizes["tokens"]), device=device)

    def step():
        loss(ids, ids).backward()
        optimizer.step()

    return step


peer.run(build)
