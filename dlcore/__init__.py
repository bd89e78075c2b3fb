"""Experiments that show deep learning at work, usable without the browser.

Every lesson is a module of ``dlcore.experiments`` with a frozen ``Config`` and a generator ``run(config)`` of events
(``dlcore.events``). Nothing here imports streamlit, and importing ``dlcore`` or a ``Config`` never imports torch.
"""

__version__ = "0.1.0"
