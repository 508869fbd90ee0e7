"""`Watching("flight_delay")`: whether a release is still asked what its training showed, and still answers as it did."""

from __future__ import annotations

from nb2prod.watching import labelling, page, subject
from nb2prod.widgets.live import LiveBox


class Watching(LiveBox):
    """What `nb2prod watch` says of a deployment or a served release, with both distributions of each series; looked at every `interval` seconds."""

    def __init__(self, name: str, *, interval: float = 60.0) -> None:
        self.name = name
        self.what = name
        super().__init__(interval=interval)

    def look(self) -> str:
        """The state as it is now; reads what is new in the request log."""
        found = subject.find(self.name)
        return page.fragment(*labelling.look_with_labels(found, subject.thresholds(found)))
