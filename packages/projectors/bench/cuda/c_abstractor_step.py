"""The step of c-abstractor.bench.ts in bfloat16."""

import torch

import peer
from c_abstractor import CAbstractor


def build(sizes, device, compiled):
    config, features = sizes["config"], sizes["features"]
    module = peer.spread(CAbstractor(config, features)).to(device, torch.bfloat16)
    forward = peer.compile_if(compiled, module)
    return peer.forward_backward(module, forward, device, [[sizes["batch"], features, config["visionWidth"]]])


peer.run(build)
