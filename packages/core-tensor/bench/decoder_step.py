"""The step of decoder-model.ts in PyTorch: a forward and backward pass for each line on stdin, answered in seconds.

The argument is the model's size as JSON; the first line printed describes PyTorch.
"""

import json
import os
import re
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

size = json.loads(sys.argv[1])
WIDTH, HEADS, HIDDEN = size["width"], size["heads"], size["hidden"]
BATCH, TOKENS, VOCABULARY = size["batch"], size["tokens"], size["vocabulary"]


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def attention(q, k, v, mask):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = q @ k.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5 + mask
    return scores.softmax(-1) @ v


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = RMSNorm(), RMSNorm()
        self.q, self.k, self.v, self.o = (linear(WIDTH, WIDTH) for _ in range(4))
        self.gate, self.up, self.down = linear(WIDTH, HIDDEN), linear(WIDTH, HIDDEN), linear(HIDDEN, WIDTH)

    def forward(self, x, cos, sin, mask):
        n = self.norm1(x)
        q, k, v = (f(n).view(BATCH, TOKENS, HEADS, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        mixed = attention(rotate(q, cos, sin), rotate(k, cos, sin), v, mask)
        h = x + self.o(mixed.transpose(1, 2).reshape(BATCH, TOKENS, WIDTH))
        m = self.norm2(h)
        return h + self.down(F.silu(self.gate(m)) * self.up(m))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(size["layers"]))
        self.norm = RMSNorm()
        self.head = linear(WIDTH, VOCABULARY)
        head_width = WIDTH // HEADS
        frequencies = 10000 ** (-torch.arange(0, head_width, 2) / head_width)
        angles = torch.arange(TOKENS)[:, None] * frequencies
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((TOKENS, TOKENS), -1e9).triu(1))

    def loss(self, ids, targets):
        x = self.table(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin, self.mask)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


torch.set_num_threads(os.cpu_count())
model = Decoder()
ids, targets = torch.randint(VOCABULARY, (2, BATCH, TOKENS))


def step():
    model.zero_grad(set_to_none=True)
    model.loss(ids, targets).backward()


blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
description = {
    "torch": torch.__version__,
    "torchThreads": torch.get_num_threads(),
    "torchBlas": blas and blas.group(1),
}
print(json.dumps(description), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    step()
    print(time.perf_counter() - start, flush=True)
