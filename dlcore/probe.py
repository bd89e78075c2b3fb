"""What is looked at while an image network trains: what it makes of one fixed image, and each layer's gradient.

Both are nearly free: one image forward about twice a second, and gradients that the last step has left behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.anatomy import compact, kind_of

if TYPE_CHECKING:
    from torch import nn

Look = dict[str, dict[str, np.ndarray]]
CHANNELS, NUMBERS = 4, 128  # of a map layer, of a list, that are kept in each frame
LEFT_OUT = ("scale", "flatten", "dropout", "norm")


class Probe:
    """A ``look`` hook of ``dlcore.training.Task``: draws from no generator and leaves the model as it was."""

    def __init__(self, model: nn.Sequential, image: np.ndarray, device: str) -> None:
        import torch

        self.model, self.image = model, image  # (C, H, W) uint8
        self.X = torch.tensor(image, device=device)[None]
        self.layers = [(name, layer) for name, layer in model.named_children() if any(True for _ in layer.parameters())]

    def __call__(self) -> Look:
        """Snapshots: "filters" of the first convolution, the "probe" image, and one of the "frames" of the film.

        A frame has for each layer ``maps/<name>`` (1, c, h, w) or (1, n) uint8 on a scale ``scale/<name>`` (1, 2) from
        the smallest to the largest, and ``gradient/<name>`` (1,), the norm of the last step's gradient (NaN before).
        """
        frame = {**self._maps(), **self._gradients()}
        return {**first_filters(self.model), "probe": {"image": self.image}, "frames": frame}

    def _maps(self) -> dict[str, np.ndarray]:
        import torch

        was_training, found = self.model.training, {}
        self.model.eval()
        with torch.inference_mode():
            X = self.X
            for name, layer in self.model.named_children():
                X = layer(X)
                if kind_of(layer) not in LEFT_OUT:
                    found[name] = X[0, : CHANNELS if X.ndim == 4 else NUMBERS]
            flat = torch.cat([output.flatten() for output in found.values()]).float().cpu().numpy()
        self.model.train(was_training)
        arrays, start = {}, 0
        for name, output in found.items():
            told = compact(flat[start : start + output.numel()].reshape(output.shape))
            start += output.numel()
            arrays[f"maps/{name}"] = told["values"][None]
            arrays[f"scale/{name}"] = np.array([[told["low"], told["high"]]], np.float32)
        return arrays

    def _gradients(self) -> dict[str, np.ndarray]:
        import torch

        slopes = [[p.grad for p in layer.parameters() if p.grad is not None] for _, layer in self.layers]
        if not all(slopes):
            return {f"gradient/{name}": np.array([np.nan], np.float32) for name, _ in self.layers}
        norms = torch.stack([torch.nn.utils.get_total_norm(of_layer) for of_layer in slopes]).float().cpu().numpy()
        return {f"gradient/{name}": norms[i : i + 1] for i, (name, _) in enumerate(self.layers)}


def first_filters(model: nn.Module) -> Look:
    """The first convolution's weights ``(filters, C, h, w)`` as the Snapshot "filters"; nothing where there is none."""
    from torch import nn as layers

    first: Any = next((m for m in model.modules() if isinstance(m, layers.Conv2d)), None)
    if first is None:
        return {}
    return {"filters": {"weight": first.weight.detach().float().cpu().contiguous().numpy().copy()}}
