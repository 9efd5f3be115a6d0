"""The step of moai-mixer.bench.ts in bfloat16. Experts see the places of their modality only, as gathered beforehand."""

import torch
import torch.nn.functional as F
from torch import nn

import peer


class LowRank(nn.Sequential):
    def __init__(self, width, rank):
        super().__init__(nn.Linear(width, rank, bias=False), nn.Linear(rank, width, bias=False), nn.GELU())


class Expert(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config["numHeads"]
        self.q, self.k, self.v, self.o = (LowRank(config["hiddenSize"], config["rank"]) for _ in range(4))

    def forward(self, x, context):
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        mixed = peer.attention(split(self.q(x)), split(self.k(context)), split(self.v(context)))
        return x + self.o(mixed.transpose(1, 2).flatten(2))


class Mixer(nn.Module):
    def __init__(self, config, places):
        super().__init__()
        self.places = places
        self.image, self.text = (nn.ModuleList(Expert(config) for _ in range(3)) for _ in range(2))
        self.image_gate, self.text_gate = (nn.Linear(config["hiddenSize"], 3) for _ in range(2))

    def mix(self, x, gate, experts, contexts):
        weights = gate(x).softmax(-1)
        outputs = [expert(x, context) for expert, context in zip(experts, contexts)]
        return sum(weights[..., i : i + 1] * output for i, output in enumerate(outputs))

    def forward(self, x, aux):
        image, text = x[:, : self.places], x[:, self.places :]
        mixed = (
            self.mix(image, self.image_gate, self.image, (aux, text, image)),
            self.mix(text, self.text_gate, self.text, (aux, image, text)),
        )
        return torch.cat(mixed, dim=1)


def build(sizes, device, compiled):
    config, batch = sizes["config"], sizes["batch"]
    module = peer.spread(Mixer(config, sizes["places"])).to(device, torch.bfloat16)
    forward = peer.compile_if(compiled, module)
    width = config["hiddenSize"]
    shapes = [[batch, sizes["tokens"], width], [batch, sizes["auxiliary"], width]]
    return peer.forward_backward(module, forward, device, shapes)


peer.run(build)
