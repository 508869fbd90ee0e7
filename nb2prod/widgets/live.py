"""What the widgets share: a thread that looks again and again, and a table for where there is no kernel."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import ipywidgets as widgets

from nb2prod.errors import Nb2ProdError
from nb2prod.widgets import markup


class LiveBox(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A box whose text follows what it is about.

    A thread of its own looks every `interval` seconds and sends what changed, also while a cell runs. It ends
    with the widget (`close()`, or when nothing refers to it any more) and with the kernel.
    """

    what = "nb2prod"
    _over = threading.Event()
    """Its own from the start on; this one is for a widget that could not be made, which Python closes all the same."""

    def __init__(self, *, interval: float, children: tuple[Any, ...] = ()) -> None:
        if not interval > 0:
            raise ValueError(f"interval is {interval!r}; expected seconds above 0")
        self._text = widgets.HTML()
        super().__init__([self._text, *children])
        self.add_class("nb2prod-widget")
        self._interval = interval
        self._over = threading.Event()
        self.refresh()
        _start(self, self._over, interval)

    def refresh(self) -> None:
        """Look now. What can't be known is said in the widget's place."""
        try:
            text = self.look()
        except Nb2ProdError as error:
            text = markup.problem(self.what, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 (a thread that dies would leave an old state standing as if it were now)
            text = markup.problem(self.what, f"{type(error).__name__}: {error}", "")
        if text != self._text.value:
            self._text.value = text

    def look(self) -> str:
        """The state as HTML; in a subclass."""
        raise NotImplementedError

    def close(self) -> None:
        """End the thread and the widget."""
        self._over.set()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """With a table beside the widget, for readers that have no kernel: nbconvert's HTML shows that."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/html"] = self._text.value
        return bundle


def _start(box: LiveBox, over: threading.Event, interval: float) -> None:
    seen = weakref.ref(box, lambda _: over.set())

    def follow() -> None:
        while not over.wait(interval):
            alive = seen()
            if alive is None:
                return
            alive.refresh()
            del alive

    threading.Thread(target=follow, daemon=True, name=f"nb2prod {type(box).__name__}").start()
