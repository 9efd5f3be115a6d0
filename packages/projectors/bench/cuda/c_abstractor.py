"""The C-Abstractor of ../../src/c-abstractor: RegNet blocks, pooling to a grid of tokens, RegNet blocks, a readout."""

import torch
import torch.nn.functional as F
from torch import nn


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of images [batch, channels, height, width]."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        squeezed = round(inputs / 4)
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 1, bias=False), ChannelNorm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs, bias=False)
        self.norm2 = ChannelNorm(outputs)
        self.fc1, self.fc2 = nn.Conv2d(outputs, squeezed, 1), nn.Conv2d(squeezed, outputs, 1)
        self.conv3, self.norm3 = nn.Conv2d(outputs, outputs, 1, bias=False), ChannelNorm(outputs)
        self.shortcut = None
        if inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), ChannelNorm(outputs))

    def forward(self, x):
        h = F.silu(self.norm2(self.conv2(F.silu(self.norm1(self.conv1(x))))))
        h = h * self.fc2(F.silu(self.fc1(h.mean((2, 3), keepdim=True)))).sigmoid()
        return F.silu(self.norm3(self.conv3(h)) + (self.shortcut(x) if self.shortcut else x))


class CAbstractor(nn.Module):
    def __init__(self, config, features):
        super().__init__()
        vision, hidden, language = config["visionWidth"], config["hiddenSize"], config["languageWidth"]
        self.side = int(config["outputTokens"] ** 0.5)
        self.positions = nn.Parameter(torch.zeros(1, features, vision)) if config["positionEmbedding"] else None
        stage = lambda inputs: nn.Sequential(
            *(Bottleneck(hidden if i else inputs, hidden) for i in range(config["depth"]))
        )
        self.before, self.behind = stage(vision), stage(hidden)
        readout = [nn.Linear(hidden, language)]
        for _ in range(config["mlpDepth"] - 1):
            readout += [nn.SiLU(), nn.Linear(language, language)]
        self.readout = nn.Sequential(*readout)

    def forward(self, x):
        """x [batch, grid², vision width] → [batch, output tokens, language width]"""
        if self.positions is not None:
            x = x + self.positions
        side = int(x.shape[1] ** 0.5)
        # As in memory with channels last, which norms and pointwise convolutions are fastest in.
        image = x.unflatten(1, (side, side)).permute(0, 3, 1, 2)
        image = F.adaptive_avg_pool2d(self.before(image), self.side)
        return self.readout(self.behind(image).flatten(2).transpose(1, 2))
