"""The step of projector-training.bench.ts: frozen CLIP tower and decoder, and a C-Abstractor that learns, in bfloat16."""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

import peer
from qwen2 import Qwen2

here = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(here, "../../../../packages/projectors/bench/cuda"))
from c_abstractor import CAbstractor


class Block(nn.Module):
    def __init__(self, width, hidden, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        n = self.norm1(x)
        q, k, v = (f(n).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in (self.q, self.k, self.v))
        x = x + self.o(peer.attention(q, k, v).transpose(1, 2).flatten(2))
        h = self.fc1(self.norm2(x))
        return x + self.fc2(h * torch.sigmoid(1.702 * h))


class Tower(nn.Module):
    """CLIP without its last block, as features of the last but one hidden state need it."""

    def __init__(self, config):
        super().__init__()
        width, patch = config["hiddenSize"], config["patchSize"]
        self.patches = nn.Conv2d(config["numChannels"], width, patch, stride=patch, bias=False)
        self.first = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 1 + (config["imageSize"] // patch) ** 2, width) * 0.02)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.Sequential(
            *(
                Block(width, config["intermediateSize"], config["numAttentionHeads"])
                for _ in range(config["numHiddenLayers"] - 1)
            )
        )

    def forward(self, pixels):
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat((self.first.expand(len(pixels), -1, -1), patches), dim=1) + self.positions
        return self.blocks(self.norm(x))[:, 1:]


class Model(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        vision = sizes["vision"]
        self.vision, self.language = Tower(vision), Qwen2(sizes["language"])
        self.projector = CAbstractor(sizes["projector"], (vision["imageSize"] // vision["patchSize"]) ** 2)

    def forward(self, pixels, ids, labels):
        with torch.no_grad():
            features = self.vision(pixels)
        tokens = self.projector(features)
        x = torch.cat((tokens, self.language.table(ids[:, tokens.shape[1] :])), dim=1)
        return self.language.loss(x, labels)


def build(sizes, device, compiled):
    batch, vision = sizes["batch"], sizes["vision"]
    model = peer.spread(Model(sizes)).to(device, torch.bfloat16)
    model.vision.requires_grad_(False)
    model.language.requires_grad_(False)
    optimizer = peer.MasterWeights(model.projector.parameters(), device)
    loss = peer.compile_if(compiled, model)
    side = vision["imageSize"]
    pixels = torch.randn(batch, vision["numChannels"], side, side, device=device, dtype=torch.bfloat16)
    ids = torch.randint(sizes["language"]["vocabSize"], (batch, sizes["tokens"]), device=device)
    labels = ids.clone()
    labels[:, : sizes["visual"]] = -100

    def step():
        loss(pixels, ids, labels).backward()
        optimizer.step()

    return step


peer.run(build)
