"""Our own components: where their files are served, how they are mounted, and how arrays reach them.

Streamlit sends a component's JavaScript with every update of it. Ours therefore hands over a loader of a few lines,
which imports the real module from our own server: once per browser, and modules may share state (the playhead of linked
plots).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import streamlit.components.v2 as v2
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

ASSETS = Path(__file__).parent.parent / "assets" / "components"

_LOADER = """
const kept = (data, width) => { // the room that packed data ask for, where they begin with it (ui.live_plot)
  if (!ArrayBuffer.isView(data)) return undefined;
  const text = new TextDecoder().decode(data.subarray(4, 60));
  const [, height, aspect] = /^\\{"height":(\\d+),"aspect":([\\d.]*)/.exec(text) ?? [];
  return height && `${Math.round(Math.min(height, aspect && width ? width / aspect : height))}px`;
};
export default async (component) => {
  const host = component.parentElement;
  if (!host.childElementCount) host.style.minHeight = kept(component.data, host.clientWidth) ?? "%(height)s";
  const module = await import(new URL("%(base)s/components/%(name)s.js", location.origin));
  const data = Array.isArray(component.data) ? component.data[0] : component.data;
  return module.default({...component, data});
};
"""


class _Kept(StaticFiles):
    """Files with a word to the browser on how long to keep them."""

    def __init__(self, cache_control: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cache_control = cache_control

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = self.cache_control
        return response


def routes() -> list[Mount]:
    """What ``app.py`` adds to its routes: ``/components``, and ``/vendor`` with plotly.js from the wheel."""
    ours = _Kept("no-cache", directory=ASSETS)  # asked about each time (ETag): a new version never meets an old module
    vendor = _Kept("public, max-age=31536000, immutable", packages=[("plotly", "package_data")])
    return [Mount(f"{base_path()}/components", ours), Mount(f"{base_path()}/vendor", vendor)]


@cache
def plotly_url() -> str:
    """Where the browser finds plotly.js; it names the version, since it may be kept for a year."""
    return f"{base_path()}/vendor/plotly.min.js?v={version('plotly')}"


def base_path() -> str:
    """The path under which the app is served: ``""`` or ``"/class"`` (``server.baseUrlPath``)."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def component(name: str, *, height: str = "0") -> Any:
    """The mounting command of ``assets/components/<name>.js``; ``height`` is kept free until the module has loaded.

    The module's default export is called with Streamlit's component argument at every update and returns a clean-up.
    """
    loader = _LOADER % {"name": name, "base": base_path(), "height": height}
    mount = v2.component(f"dlcore_{name}", js=loader, isolate_styles=False)

    def mounted(*, data: Any = None, **options: Any) -> Any:
        # in a dict Streamlit looks for data frames, and imports pandas (70 MB, a second) to do so; not in a list
        return mount(data=[data] if isinstance(data, dict) else data, **options)

    return mounted


def pack(tree: Any) -> bytes:
    """Nested builtins and arrays for ``wire.js``: a JSON tree, then the arrays' own bytes, each on a multiple of 8.

    Arrays travel as they are (no base64, no text), so 16,000 numbers cost microseconds on either side. What JSON cannot
    say becomes what Plotly understands: NaN and infinities in plain lists are ``null``, 64-bit integers are doubles.
    An array that stands in several places (the steps below four curves) travels once.
    """
    arrays: dict[tuple, int] = {}  # type, shape and bytes → number, in the order of the tree
    text = json.dumps(_hoist(tree, arrays), separators=(",", ":"), allow_nan=False).encode()
    parts = [struct.pack("<I", len(text)), text, b" " * (-(len(text) + 4) % 8)]
    for *_form, content in arrays:
        parts += [content, b"\0" * (-len(content) % 8)]
    return b"".join(parts)


def _hoist(value: Any, arrays: dict[tuple, int]) -> Any:
    """``value`` without its arrays, which are added to ``arrays``; a number stands for one that is there already."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiub":
            return _hoist(value.tolist(), arrays)
        array = _plain_dtype(value)
        form, content = [array.dtype.str[1:], *array.shape], array.tobytes()
        key = (*form, content)
        if key in arrays:
            return {"$same": arrays[key]}
        arrays[key] = len(arrays)
        return {"$": form}
    if isinstance(value, Mapping):
        return {str(k): _hoist(v, arrays) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hoist(v, arrays) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value - value != 0:  # NaN or infinite
        return None
    return value


def _plain_dtype(array: np.ndarray) -> np.ndarray:
    """The array as one of f4, f8, i1, u1, i2, u2, i4, u4, which JavaScript has too."""
    if array.dtype.kind == "b":
        return np.asarray(array, dtype="<u1", order="C")
    if array.dtype.itemsize == 8 or array.dtype == np.float16:
        return np.asarray(array, dtype="<f8", order="C")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
