"""Turning, moving, scaling, shearing, mirroring and cropping of many images at once, each by an amount of its own.

torchvision's v2 transforms draw once a call: handed a batch, they turn every image by the same angle. Here a batch is
resampled once, by one affine map an image. A map ``(B, 2, 3)`` says where a point of the image goes, in pixels from
the image's centre, x to the right and y downwards: ``x' = A x + t``. Its parts are those of
``torchvision.transforms.v2.functional.affine`` (rotation · shear · scale), to which tests hold it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dlcore.augmentation_settings import Strengths

FILL = "zeros"  # what lies outside an image: black


class Moves(NamedTuple):
    """How each of B images moves; ``none`` where nothing does."""

    angle: Tensor  # (B,) degrees, clockwise
    shear: Tensor  # (B,) degrees, along x
    scale: Tensor  # (B, 2) factors along x and y; a negative one mirrors
    shift: Tensor  # (B, 2) pixels, to the right and downwards, after all else
    zoom: Tensor  # (B, 2) sides of the crop, as shares of the image's
    centre: Tensor  # (B, 2) of the crop, pixels from the image's centre


def none(count: int) -> Moves:
    """The moves that leave ``count`` images where they are."""
    flat, pair = torch.zeros(count), torch.zeros(count, 2)
    return Moves(flat, flat, pair + 1, pair, pair + 1, pair)


def maps(moves: Moves) -> Tensor:
    """The affine maps ``(B, 2, 3)`` of moves: the crop is stretched to the whole, then scaled, sheared, turned, moved.

    ``A = R(angle) · [[1, -tan(shear)], [0, 1]] · diag(scale) · diag(1 / zoom)``, ``t = shift - A · centre``.
    """
    angle, shear = moves.angle * (math.pi / 180), moves.shear * (math.pi / 180)
    cos, sin, tan = angle.cos(), angle.sin(), shear.tan()
    linear = torch.stack([cos, -cos * tan - sin, sin, cos - sin * tan], 1).view(-1, 2, 2)
    linear = linear * (moves.scale / moves.zoom)[:, None, :]  # (B, 2, 2): each column by its factor
    offset = moves.shift - (linear @ moves.centre[:, :, None])[:, :, 0]
    return torch.cat([linear, offset[:, :, None]], 2)


def warp(X: Tensor, wanted: Tensor) -> Tensor:
    """Images ``(B, C, H, W)`` float under the maps ``(B, 2, 3)``: bilinear, black outside, same shape."""
    height, width = X.shape[-2:]
    theta = _backwards(wanted, height, width).to(X.device, X.dtype)
    grid = F.affine_grid(theta, list(X.shape), align_corners=False)
    return F.grid_sample(X, grid, padding_mode=FILL, align_corners=False)


def _backwards(wanted: Tensor, height: int, width: int) -> Tensor:
    """What ``affine_grid`` asks for: the map from output to input, with -1 and 1 at the image's edges."""
    (a, b), (c, d) = wanted[:, :, :2].permute(1, 2, 0)  # (B,) each
    inverse = torch.stack([d, -b, -c, a], 1).view(-1, 2, 2) / (a * d - b * c).view(-1, 1, 1)
    offset = -(inverse @ wanted[:, :, 2:])  # (B, 2, 1)
    half = torch.tensor([width / 2, height / 2])
    return torch.cat([inverse * half / half[:, None], offset / half[:, None]], 2)


def uniform(low: float, high: float, *size: int) -> Tensor:
    """Numbers from torch's global generator on the CPU: the same on every device, and kept by a checkpoint."""
    return torch.empty(size).uniform_(low, high)


def chosen(count: int, probability: float) -> Tensor:
    """Which of ``count`` images an operation falls on, ``(count,)`` bool."""
    return torch.rand(count) < probability


def draw(count: int, height: int, width: int, settings: Strengths) -> Moves:
    """Moves of each image's own, within the strengths of ``settings``; what has no strength draws nothing."""
    moves, chance = none(count), settings.probability

    def kept(drawn: Tensor, plain: Tensor) -> Tensor:
        return torch.where(chosen(count, chance).view(-1, *[1] * (drawn.ndim - 1)), drawn, plain)

    if settings.crop:
        zoom, centre = crops(count, height, width, settings.crop)
        on = chosen(count, chance)[:, None]
        moves = moves._replace(zoom=zoom.where(on, moves.zoom), centre=centre.where(on, moves.centre))
    if settings.scale:
        # as likely to shrink as to grow: 1 / (1 + s) to 1 + s, on a logarithmic scale
        most = math.log1p(settings.scale)
        moves = moves._replace(scale=kept(uniform(-most, most, count, 1).exp().expand(-1, 2), moves.scale))
    if chance and (settings.flip or settings.upside_down):
        sides = (settings.flip * chance, settings.upside_down * chance)
        mirrored = torch.stack([chosen(count, share) for share in sides], 1)
        moves = moves._replace(scale=torch.where(mirrored, -moves.scale, moves.scale))
    if settings.shear:
        moves = moves._replace(shear=kept(uniform(-settings.shear, settings.shear, count), moves.shear))
    if settings.rotate:
        moves = moves._replace(angle=kept(uniform(-settings.rotate, settings.rotate, count), moves.angle))
    if settings.shift:
        moves = moves._replace(shift=kept(uniform(-settings.shift, settings.shift, count, 2), moves.shift))
    return moves


def crops(count: int, height: int, width: int, most: float) -> tuple[Tensor, Tensor]:
    """Windows for a random resized crop (Szegedy and others 2015): their sides as shares, and their centres.

    The area that is kept is uniform between ``1 - most`` and 1 of the image, its sides in a ratio of 3:4 to 4:3
    (logarithmically); the window lies anywhere within the image.
    """
    area, ratio = uniform(1 - most, 1, count), uniform(math.log(3 / 4), math.log(4 / 3), count).exp()
    sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp(max=1)  # (B, 2) x, y
    room = (1 - sides) / 2 * torch.tensor([width, height])
    return sides, uniform(-1, 1, count, 2) * room
