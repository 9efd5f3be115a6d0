"""The step of decode.bench.ts in bfloat16: one token behind a prompt, keys and values in a cache of fixed size."""

import torch
import torch.nn.functional as F

import peer
from qwen2 import Qwen2


class Decoder(Qwen2):
    def __init__(self, config, capacity):
        super().__init__(config)
        heads, layers = config["numKeyValueHeads"], config["numHiddenLayers"]
        cache = torch.zeros(layers, 2, 1, heads, capacity, self.head_width)
        self.register_buffer("cache", cache)
        self.register_buffer("places", torch.arange(capacity))

    def forward(self, token, position, length=None):
        """token and position [1] → the likeliest token behind it, [1]

        Keys that exist are the first `length` ones; without it, as for a step whose shapes never change, a mask says so.
        """
        x = self.table(token)[None]
        cos, sin = self.rotary(position, x.dtype)
        seen = None if length else (self.places <= position)[None, None, None]
        for layer, cache in zip(self.layers, self.cache):

            def attend(q, k, v, cache=cache):
                cache[0].index_copy_(2, position, k)
                cache[1].index_copy_(2, position, v)
                return peer.attention(q, cache[0, :, :, :length], cache[1, :, :, :length], mask=seen)

            x = layer(x, cos, sin, attend)
        return F.linear(self.norm(x[0, -1:]), self.table.weight).argmax(-1)


def build(sizes, device, compiled):
    config, context, count = sizes["config"], sizes["context"], sizes["count"]
    model = peer.spread(Decoder(config, context + count)).to(device, torch.bfloat16)
    # Places count further than bfloat16 does.
    model.places = torch.arange(context + count, device=device)
    decode = peer.compile_if(compiled, model, mode="reduce-overhead", fullgraph=True)
    state = {"token": torch.zeros(1, dtype=torch.long, device=device), "used": 0}
    position = torch.empty(1, dtype=torch.long, device=device)

    @torch.no_grad()
    def step():
        place = context + state["used"] % count
        state["used"] += 1
        position.fill_(place)
        state["token"] = decode(state["token"], position, None if compiled else place + 1).clone()

    return step


peer.run(build)
