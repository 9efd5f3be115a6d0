"""The step of manager-aggregation.bench.ts in bfloat16."""

import torch
from torch import nn

import peer


class Manager(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, levels, eps = config["hiddenSize"], config["levels"], config["layerNormEps"]
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps) for _ in range(levels))
        self.previous_norm, self.other_norm = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.q, self.k = nn.Linear(width, width), nn.Linear(width, width)
        self.controller = nn.Linear(2 * width, levels)
        self.previous_weight = nn.Parameter(torch.ones(width))
        self.temperature = nn.Parameter(torch.ones(1))

    def forward(self, levels, previous, other):
        """levels [batch, levels, tokens, width], previous [batch, tokens, width], other [batch, others, width]"""
        own, other = self.previous_norm(previous), self.other_norm(other)
        q, k, v = (x.unsqueeze(1) for x in (self.q(own), self.k(other), other))
        seen = peer.attention(q, k, v).squeeze(1)
        scores = self.controller(torch.cat((seen, own), dim=-1)) / self.temperature
        weights = scores.softmax(-1)
        normed = torch.stack([norm(levels[:, i]) for i, norm in enumerate(self.norms)], dim=1)
        mixed = torch.einsum("btl,bltw->btw", weights, normed)
        return mixed + self.previous_weight * own


def build(sizes, device, compiled):
    config, batch, tokens = sizes["config"], sizes["batch"], sizes["tokens"]
    module = peer.spread(Manager(config)).to(device, torch.bfloat16)
    forward = peer.compile_if(compiled, module)
    width = config["hiddenSize"]
    shapes = [[batch, config["levels"], tokens, width], [batch, tokens, width], [batch, sizes["others"], width]]
    return peer.forward_backward(module, forward, device, shapes)


peer.run(build)
