"""What the PyTorch scripts beside the benches share: attention, norms, optimizers, and the loop that times steps.

A script calls `run(build)`, where `build(sizes, device, compiled)` returns a step. For each line on stdin, a number of
steps, it prints the seconds of one on average. The first line printed describes PyTorch, when everything is warm.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

WARM_UP = 3


def run(build):
    settings = json.loads(sys.argv[1])
    device = settings["device"]
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    compiled = settings["mode"] == "compiled"
    make_step = build(settings["sizes"], device, compiled)

    def step():
        if compiled:
            # What the step before gave may be overwritten by the graph's replay.
            torch.compiler.cudagraph_mark_step_begin()
        make_step()

    def synchronize():
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(WARM_UP):
        step()
    synchronize()
    description = {"torch": torch.__version__, "torchDevice": device}
    if device == "cuda":
        description["torchCuda"] = str(torch.version.cuda)
        description["cudnn"] = str(torch.backends.cudnn.version())
    print(json.dumps(description), flush=True)
    for line in sys.stdin:
        steps = int(line)
        synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        synchronize()
        print((time.perf_counter() - start) / steps, flush=True)


def compile_if(compiled, function, **options):
    return torch.compile(function, **options) if compiled else function


def attention(q, k, v, causal=False, mask=None):
    """PyTorch's fastest attention. q [batch, heads, tokens, width]; k and v may have fewer heads."""
    grouped = q.shape[1] != k.shape[1]
    if hasattr(F, "scaled_dot_product_attention"):
        options = {"enable_gqa": True} if grouped else {}
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, **options)
    if grouped:
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    if causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(hidden, float("-inf"))
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1) @ v


class RMSNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        if hasattr(F, "rms_norm"):
            return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).to(x.dtype) * self.weight


class MasterWeights:
    """AdamW, fused, on float32 copies of bfloat16 parameters, which take over each new value."""

    def __init__(self, parameters, device, learning_rate=1e-4):
        self.parameters = list(parameters)
        self.masters = [p.detach().float().clone().requires_grad_() for p in self.parameters]
        for master in self.masters:
            master.grad = torch.zeros_like(master)
        options = {"fused": True} if device == "cuda" else {}
        self.optimizer = torch.optim.AdamW(self.masters, lr=learning_rate, weight_decay=0.01, **options)

    @torch.no_grad()
    def step(self):
        copy = getattr(torch, "_foreach_copy_", None) or copy_one_by_one
        copy([master.grad for master in self.masters], [p.grad for p in self.parameters])
        self.optimizer.step()
        copy(self.parameters, self.masters)
        for p in self.parameters:
            p.grad = None


def copy_one_by_one(targets, sources):
    for target, source in zip(targets, sources):
        target.copy_(source)


def spread(module, deviation=0.02):
    """Random weights of one deviation, so that products see numbers like those of a trained model."""
    for p in module.parameters():
        if p.dim() > 1:
            nn.init.normal_(p, 0.0, deviation)
    return module


def forward_backward(module, forward, device, shapes):
    """A step: forward and backward pass on random activations with a random gradient of the result."""
    inputs = [torch.randn(shape, device=device).to(torch.bfloat16).requires_grad_() for shape in shapes]
    with torch.no_grad():
        gradient = torch.randn(module(*inputs).shape, device=device).to(torch.bfloat16)

    def step():
        module.zero_grad(set_to_none=True)
        for x in inputs:
            x.grad = None
        forward(*inputs).backward(gradient)

    return step
