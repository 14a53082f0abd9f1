"""Layers that process spectra: mel_filterbank, dct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.options import SourceOptions
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.registry import layer
from returnn_ir.layers.roles import batch_major

__all__: list[str] = []

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MelFilterbankOptions(SourceOptions):
    """Options of ``mel_filterbank``; frequencies in Hz."""

    sampling_rate: int = 16000
    fft_size: int = 1024
    nr_of_filters: int = 80
    f_min: float | None = None
    f_max: float | None = None


@layer("mel_filterbank", options=MelFilterbankOptions)
def mel_filterbank(b: LayerBuilder, opt: MelFilterbankOptions, x: LayerOutput) -> LayerOutput:
    """Sums of a spectrum's bins, weighted by triangles that are of equal width on the mel scale."""
    if opt.n_out is not None and opt.n_out != opt.nr_of_filters:
        raise ConfigError(
            "n_out differs from nr_of_filters", where=b.place("n_out"), expected=opt.nr_of_filters, received=opt.n_out
        )
    high = opt.f_max or opt.sampling_rate / 2
    filters = _triangles(
        opt.f_min or 0, high, opt.fft_size / opt.sampling_rate, opt.fft_size // 2 + 1, opt.nr_of_filters
    )
    return _projected(b, batch_major(x), filters)


def _triangles(low: float, high: float, bins_per_hertz: float, bins: int, filters: int) -> Matrix:
    """[bins, filters]: Huang, Acero and Hon, "Spoken Language Processing" (2001), equation 6.141."""
    mel_low, mel_high = (1125.0 * np.log(1 + f / 700.0) for f in (low, high))
    corners = 700.0 * (np.exp(np.linspace(mel_low, mel_high, filters + 2) / 1125.0) - 1) * bins_per_hertz
    left, center, right = corners[:-2], corners[1:-1], corners[2:]
    number = np.arange(bins)[:, None]
    return np.clip(np.minimum((number - left) / (center - left), (right - number) / (right - center)), 0, None)


@dataclass(frozen=True, kw_only=True)
class DctOptions(SourceOptions):
    """Options of ``dct``."""

    type: int = 2
    n: Any = None
    norm: str | None = None


@layer("dct", options=DctOptions)
def dct(b: LayerBuilder, opt: DctOptions, x: LayerOutput) -> LayerOutput:
    """The discrete cosine transform of the features; ``norm`` is None or "ortho"."""
    if opt.n is not None:
        raise ConfigError("n is not supported, by RETURNN neither", where=b.place("n"), received=opt.n)
    if opt.type not in (1, 2, 3, 4) or opt.norm not in (None, "ortho") or (opt.type == 1 and opt.norm):
        raise ConfigError(
            "no such transform",
            where=b.place("type"),
            expected="type 1 to 4; norm None or 'ortho' (not with type 1)",
            received=f"type {opt.type}, norm {opt.norm!r}",
        )
    size = b.require_feature(x).size
    if size is None or (opt.type == 1 and size < 2):
        raise DimError("the transform needs a fixed number of features", where=b.place("from"), received=x.value.type)
    return _projected(b, batch_major(x), _cosines(opt.type, size, ortho=opt.norm == "ortho"))


def _cosines(kind: int, size: int, *, ortho: bool) -> Matrix:
    """[input, output]: Britanak, Yip and Rao, "Discrete Cosine and Sine Transforms" (2007)."""
    n, k = np.arange(size)[:, None], np.arange(size)[None, :]
    if kind == 1:
        ends = np.where((n == 0) | (n == size - 1), 1.0, 2.0)
        return np.asarray(ends * np.cos(np.pi * n * k / (size - 1)))
    if kind == 4:
        matrix = 2.0 * np.cos(np.pi * (2 * n + 1) * (2 * k + 1) / (4 * size))
        return np.asarray(matrix * np.sqrt(1 / (2 * size)) if ortho else matrix)
    matrix = 2.0 * np.cos(np.pi * (2 * n + 1) * k / (2 * size))
    if ortho:
        matrix = matrix * np.sqrt(np.where(k == 0, 1 / (4 * size), 1 / (2 * size)))
    elif kind == 3:
        matrix = matrix * np.where(k == 0, 0.5, 1.0)
    return np.asarray(matrix if kind == 2 else matrix.T)


def _projected(b: LayerBuilder, x: LayerOutput, matrix: Matrix) -> LayerOutput:
    """The features times a fixed matrix [input, output], which stand behind all other axes."""
    feature = b.require_feature(x)
    if feature.size != matrix.shape[0]:
        raise DimError(
            "the source has another number of features",
            where=b.place("from"),
            expected=matrix.shape[0],
            received=feature,
        )
    out: Dim = b.dim("out", matrix.shape[1], feature=True)
    weights = b.const(matrix.astype(np.float32), "float32", (feature, out))
    value = b.dot(x.value, weights, feature)
    axes = (*(d for d in x.axes if d is not feature), out)
    return LayerOutput(value, axes, x.time_dim, out)
