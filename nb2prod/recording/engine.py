"""The papermill engine that records: papermill runs the cells, a recorder in the kernel watches.

papermill is imported here (and by `parity`), nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from nb2prod.errors import Nb2ProdError

ENGINE = "nb2prod"


class KernelTraceback(Exception):
    """What a kernel said of a call that failed, for whoever asks for a traceback."""


class KernelCallFailed(Nb2ProdError):
    """Code of ours failed in the kernel."""

    kind = "kernel"


class Kernel:
    """The recorded notebook's kernel, alive between its last cell and the end of the plan."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, code: str) -> None:
        """Execute `code` without a trace in history or output; raise `KernelCallFailed` where it fails."""
        message = self._client.kc.execute(code, silent=True, store_history=False, allow_stdin=False)
        reply = self._client.wait_for_reply(message)
        content = reply["content"]
        if content["status"] != "ok":
            traceback = "\n".join(content.get("traceback", [])[-3:])
            raise KernelCallFailed(
                f"{content.get('ename', 'error')}: {content.get('evalue', '')}"
            ) from KernelTraceback(traceback)


class RecordingClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs `before` in the kernel, then the cells, then `after` if every cell ran, or else `failed`."""

    def __init__(
        self,
        *args: Any,
        before: str,
        on_cell: Callable[[int, int], None],
        after: Callable[[Kernel], None],
        seen: list[Any],
        failed: Callable[[Kernel], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._before, self._on_cell, self._after = before, on_cell, after
        self._failed = failed
        self.current: int | None = None
        seen.append(self)

    def papermill_execute_cells(self) -> None:
        """As papermill's, with the recorder before the first cell and the plan after the last."""
        kernel = Kernel(self)
        kernel.run(self._before)
        total = len(self.nb.cells)
        for index, cell in enumerate(self.nb.cells):
            self._on_cell(index, total)
            self.current = index
            try:
                self.nb_man.cell_start(cell, index)
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                if self._failed is not None:
                    self._failed(kernel)
                return
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)
        self._on_cell(total, total)
        self._after(kernel)


class RecordingEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's engine with a recording client; its options come as `capture`."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Run the notebook that `nb_man` manages."""
        capture = kwargs.pop("capture")
        log = capture.pop("log")
        client = RecordingClient(
            nb_man,
            timeout=kwargs.get("execution_timeout"),
            startup_timeout=kwargs.get("start_timeout", 60),
            kernel_name=kernel_name,
            extra_arguments=["--IPKernelApp.log_level=40"],
            **capture,
        )
        # What the kernel's process itself says (of an interrupt, of a crash) is kept out of the reader's way.
        with open(log, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a plain file, for another process
            return client.execute(stdout=stream, stderr=stream)


papermill_engines.register(ENGINE, RecordingEngine)
