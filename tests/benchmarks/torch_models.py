"""PyTorch's counterparts of the encoders in `tests/benchmarks/encoders.py`, of the same sizes. Needs PyTorch.

PyTorch is imported by name, because the environment that mypy sees does not have it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["make_encoder"]

torch: Any = import_module("torch")
nn: Any = import_module("torch.nn")
functional: Any = import_module("torch.nn.functional")


def make_encoder(name: str, inputs: int, classes: int, blocks: int = 12, units: int = 512) -> Any:
    """A module: frames [batch, time, inputs] and which of them are valid [batch, time] -> logits [.., classes]."""
    return {"transformer": Transformer, "conformer": Conformer}[name](inputs, classes, blocks, units)


class Transformer(nn.Module):  # type: ignore[misc]
    """PyTorch's own encoder layers, the norms in front, dropout 0.1 at the places of ours."""

    def __init__(self, inputs: int, classes: int, blocks: int, units: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(units, 8, 4 * units, dropout=0.1, batch_first=True, norm_first=True)
        self.first, self.last = nn.Linear(inputs, units), nn.Linear(units, classes)
        self.blocks = nn.TransformerEncoder(layer, blocks, norm=nn.LayerNorm(units), enable_nested_tensor=False)

    def forward(self, frames: Any, valid: Any) -> Any:
        """Logits."""
        return self.last(self.blocks(self.first(frames), src_key_padding_mask=~valid))


class Conformer(nn.Module):  # type: ignore[misc]
    """Two convolutions with pooling along the features, then the blocks."""

    def __init__(self, inputs: int, classes: int, blocks: int, units: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding="same"),
            nn.SiLU(),
            nn.MaxPool2d((1, 2)),
            nn.Conv2d(32, 64, 3, padding="same"),
            nn.SiLU(),
            nn.MaxPool2d((1, 2)),
        )
        self.source = nn.Linear(64 * (inputs // 4), units, bias=False)
        self.blocks = nn.ModuleList([_Block(units) for _ in range(blocks)])
        self.last = nn.Linear(units, classes)

    def forward(self, frames: Any, valid: Any) -> Any:
        """Logits."""
        image = self.convolutions(frames.unsqueeze(1))
        x = self.source(image.transpose(1, 2).flatten(2))
        for block in self.blocks:
            x = block(x, valid)
        return self.last(x)


class _Block(nn.Module):  # type: ignore[misc]
    """Half a feed-forward, self-attention with learned relative positions, convolution, half a feed-forward."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.first, self.second = _feed_forward(units), _feed_forward(units)
        self.attention = _RelativeAttention(units)
        self.norm, self.out = nn.LayerNorm(units), nn.LayerNorm(units)
        self.gated = nn.Sequential(nn.LayerNorm(units), nn.Linear(units, 2 * units), nn.GLU(-1))
        self.depthwise = nn.Conv1d(units, units, 8, padding="same", groups=units)
        self.batch_norm, self.pointwise = nn.BatchNorm1d(units), nn.Linear(units, units)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Any, valid: Any) -> Any:
        """One block."""
        x = x + self.dropout(0.5 * self.first(x))
        x = x + self.dropout(self.attention(self.norm(x), valid))
        frames = self.batch_norm(self.depthwise(self.gated(x).transpose(1, 2))).transpose(1, 2)
        x = x + self.dropout(self.pointwise(functional.silu(frames)))
        return self.out(x + self.dropout(0.5 * self.second(x)))


def _feed_forward(units: int) -> Any:
    wide = 4 * units
    return nn.Sequential(
        nn.LayerNorm(units), nn.Linear(units, wide), nn.SiLU(), nn.Dropout(0.1), nn.Linear(wide, units)
    )


class _RelativeAttention(nn.Module):  # type: ignore[misc]
    """Self-attention whose energies have a term for the distance of the frames, clipped at 16."""

    def __init__(self, units: int, heads: int = 8, clipping: int = 16) -> None:
        super().__init__()
        self.heads, self.clipping = heads, clipping
        self.inputs, self.outputs = nn.Linear(units, 3 * units, bias=False), nn.Linear(units, units, bias=False)
        self.positions = nn.Parameter(torch.randn(2 * clipping + 1, units // heads))

    def forward(self, x: Any, valid: Any) -> Any:
        """The heads' values, joined and projected."""
        batch, time, units = x.shape
        parts = self.inputs(x).view(batch, time, 3, self.heads, units // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        frames = torch.arange(time, device=x.device)
        distance = (frames[None, :] - frames[:, None]).clamp(-self.clipping, self.clipping) + self.clipping
        by_distance = query @ self.positions.T * query.shape[-1] ** -0.5
        bias = by_distance.gather(-1, distance.expand(batch, self.heads, time, time))
        bias = bias.masked_fill(~valid[:, None, None, :], float("-inf"))
        rate = 0.1 if self.training else 0.0
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=rate)
        return self.outputs(found.transpose(1, 2).reshape(batch, time, units))
