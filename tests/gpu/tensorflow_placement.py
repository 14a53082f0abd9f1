"""Where the nodes of a training step run, by TensorFlow's log of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["TensorFlowPlacement"]

_LINE = re.compile(r"^\S+: \((?P<op>\w+)\): /job:\S*/device:(?P<device>\w+):\d+$", re.MULTILINE)

#: They compute nothing: what enters and leaves a function, and what orders the others.
_BOOKKEEPING = re.compile(
    r"_?(Arg|DeviceArg|Retval|DeviceRetval|EagerConst|Send|Recv|HostSend|HostRecv)|NoOp|Identity|IdentityN|Const"
    r"|Enter|Exit|Merge|Switch|NextIteration|LoopCond|ReadVariableOp|Placeholder|ControlTrigger"
)


@dataclass(frozen=True)
class TensorFlowPlacement:
    """Nodes that compute something, those in functions and loops once each.

    Attributes:
        nodes: how many by device (`GPU`, `CPU`).
        on_cpu: op types of those on the CPU, by number.
    """

    nodes: Counter[str] = field(default_factory=Counter)
    on_cpu: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def of_log(text: str) -> TensorFlowPlacement:
        """What a step logged, `tf.debugging.set_log_device_placement` on."""
        found = [(m["op"], m["device"]) for m in _LINE.finditer(text) if not _BOOKKEEPING.fullmatch(m["op"])]
        return TensorFlowPlacement(
            Counter(device for _, device in found), Counter(op for op, device in found if device == "CPU")
        )

    def __str__(self) -> str:
        counts = ", ".join(f"{count} on {device}" for device, count in sorted(self.nodes.items(), reverse=True))
        listed = ", ".join(f"{op} {count}" for op, count in self.on_cpu.most_common(8))
        return f"nodes {counts or 'not logged'}" + (f" ({listed})" if self.on_cpu and "GPU" in self.nodes else "")
