"""The step of ../decoder-model.ts: forward and backward pass of a small decoder, weights in bfloat16."""

import torch
import torch.nn.functional as F
from torch import nn

import peer


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = peer.RMSNorm(width), peer.RMSNorm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x, cos, sin):
        n = self.norm1(x)
        q, k, v = (f(n).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in (self.q, self.k, self.v))
        mixed = peer.attention(rotate(q, cos, sin), rotate(k, cos, sin), v, causal=True)
        x = x + self.o(mixed.transpose(1, 2).flatten(2))
        m = self.norm2(x)
        return x + self.down(F.silu(self.gate(m)) * self.up(m))


class Decoder(nn.Module):
    def __init__(self, layers, width, heads, hidden, vocabulary, tokens):
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads, hidden) for _ in range(layers))
        self.norm = peer.RMSNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        head_width = width // heads
        angles = torch.arange(tokens)[:, None] * 10000 ** (-torch.arange(0, head_width, 2) / head_width)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids, targets):
        x = self.table(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1).float(), targets.flatten())


def build(sizes, device, compiled):
    batch = sizes.pop("batch")
    model = Decoder(**sizes).to(device, torch.bfloat16)
    loss = peer.compile_if(compiled, model, mode="reduce-overhead")
    ids, targets = torch.randint(sizes["vocabulary"], (2, batch, sizes["tokens"]), device=device)

    def step():
        model.zero_grad(set_to_none=True)
        loss(ids, targets).backward()

    return step


peer.run(build)
