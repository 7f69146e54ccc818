"""A training step recorded once as a CUDA graph and replayed.

A step of a small network is some hundred kernels that each take less time than Python needs to
launch the next. Replaying a recording launches them all at once; runs whose graphs lie on streams
of their own then share the GPU at the same time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from daclass.errors import InputError

WARM_UP = 3
"""Steps that are run as they are before one is recorded: libraries choose their algorithms in the
first, the optimiser allots its state (PyTorch's notes on CUDA graphs ask for as many)."""


class StepGraph:
    """A step on inputs of one shape, on a stream of its own.

    The first steps on a shape are run as they are, then one is recorded; all of them are steps of
    the training. What the step reads besides its inputs has to stay where it is in memory.

    Args:
        act: the step: tensors to nothing. It may not wait for the GPU.
        device: of the network.
    """

    def __init__(self, act: Callable[..., None], device: torch.device) -> None:
        self.act, self.device = act, device
        self.stream = torch.cuda.Stream(device)
        self.inputs: tuple[Tensor, ...] = ()
        self.graph: torch.cuda.CUDAGraph | None = None
        self.before = 0

    def __call__(self, *inputs: Tensor) -> None:
        """Take a step on `inputs`, which may be written over once the caller's stream has passed.

        Raises:
            InputError: the step cannot be recorded.
        """
        self.join()  # the last step has read its inputs
        if [each.shape for each in inputs] != [each.shape for each in self.inputs]:
            self.inputs = tuple(each.clone() for each in inputs)
            self.graph, self.before = None, 0
        else:
            for kept, each in zip(self.inputs, inputs, strict=True):
                kept.copy_(each)
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self.stream):
            if self.graph is None and self.before < WARM_UP:
                self.act(*self.inputs)
                self.before += 1
                return
            self.graph = self.graph or self._recorded()
            self.graph.replay()

    def join(self) -> None:
        """Let the caller's stream go on only when the last step is done."""
        torch.cuda.current_stream(self.device).wait_stream(self.stream)

    def _recorded(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        try:
            # Loaders' threads may go on using CUDA meanwhile.
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                self.act(*self.inputs)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise InputError(
                "machine.cuda_graphs: this network's step cannot be recorded "
                f"({str(error).splitlines()[0]}); leave the setting out"
            ) from None
        return graph
