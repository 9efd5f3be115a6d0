"""A Qwen2-shaped decoder: grouped queries, rotary positions, gated feed-forward parts, head tied to the token table."""

import torch
import torch.nn.functional as F
from torch import nn

import peer


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Layer(nn.Module):
    def __init__(self, hiddenSize, intermediateSize, heads, keyHeads):
        super().__init__()
        width = hiddenSize // heads
        self.heads, self.keyHeads = heads, keyHeads
        self.norm1, self.norm2 = peer.RMSNorm(hiddenSize), peer.RMSNorm(hiddenSize)
        self.q = nn.Linear(hiddenSize, hiddenSize)
        self.k, self.v = (nn.Linear(hiddenSize, keyHeads * width) for _ in range(2))
        self.o = nn.Linear(hiddenSize, hiddenSize, bias=False)
        self.gate, self.up = (nn.Linear(hiddenSize, intermediateSize, bias=False) for _ in range(2))
        self.down = nn.Linear(intermediateSize, hiddenSize, bias=False)

    def split(self, x, heads):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    def forward(self, x, cos, sin, attend):
        n = self.norm1(x)
        q = rotate(self.split(self.q(n), self.heads), cos, sin)
        k = rotate(self.split(self.k(n), self.keyHeads), cos, sin)
        mixed = attend(q, k, self.split(self.v(n), self.keyHeads))
        x = x + self.o(mixed.transpose(1, 2).flatten(2))
        m = self.norm2(x)
        return x + self.down(F.silu(self.gate(m)) * self.up(m))


class Qwen2(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, heads = config["hiddenSize"], config["numAttentionHeads"]
        self.table = nn.Embedding(config["vocabSize"], hidden)
        self.layers = nn.ModuleList(
            Layer(hidden, config["intermediateSize"], heads, config["numKeyValueHeads"])
            for _ in range(config["numHiddenLayers"])
        )
        self.norm = peer.RMSNorm(hidden)
        self.head_width, self.theta = hidden // heads, config["ropeTheta"]

    def rotary(self, positions, dtype):
        powers = torch.arange(0, self.head_width, 2, device=positions.device) / self.head_width
        angles = positions[:, None] * self.theta**-powers
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos().to(dtype), angles.sin().to(dtype)

    def hidden(self, x):
        """x [batch, tokens, width] → after the last norm."""
        cos, sin = self.rotary(torch.arange(x.shape[1], device=x.device), x.dtype)
        attend = lambda q, k, v: peer.attention(q, k, v, causal=True)
        for layer in self.layers:
            x = layer(x, cos, sin, attend)
        return self.norm(x)

    def loss(self, x, labels):
        """x [batch, tokens, width]; each place predicts the label behind it."""
        logits = F.linear(self.hidden(x), self.table.weight)
        shifted = F.pad(labels[:, 1:], (0, 1), value=-100)
        return F.cross_entropy(logits.flatten(0, 1).float(), shifted.flatten(), ignore_index=-100)

    def forward(self, ids, labels):
        return self.loss(self.table(ids), labels)
