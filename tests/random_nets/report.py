"""What became of the nets, by outcome and cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.judging.compare import TARGETS
from tests.published.report import normalized
from tests.random_nets.generate import RandomNet

__all__ = ["OUTCOMES", "Verdict", "table"]

#: Of the nets that RETURNN accepts, from good to bad; not finite: other numbers where RETURNN has NaN or infinity.
OUTCOMES = ("agree", "not finite", "refused by us", "differ", "internal error")
_KINDS = {"agrees": "agree", "refused": "refused by us", "differs": "differ"}


@dataclass(frozen=True)
class Verdict:
    """What RETURNN and our targets say of a net."""

    net: RandomNet
    judged: Mapping[str, Any]
    ours: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        """Whether RETURNN computes it."""
        return not self.judged

    def of(self, target: str) -> tuple[str, str]:
        """The outcome on a target (``check``: of a net that RETURNN refuses) and its cause."""
        if "died" in self.ours:
            return "internal error", str(self.ours["died"])
        found = self.ours.get(target) or {"kind": "differs", "reason": "was not compared"}
        return _KINDS.get(found["kind"], found["kind"]), found["reason"] or ""

    @property
    def outcome(self) -> str:
        """Of all targets the worst; a refusal by ONNX alone is none of these."""
        if not self.accepted:
            return "internal error" if self.of("check")[0] == "internal error" else "refused by RETURNN"
        return max((self.of(target)[0] for target in ("reference", "tf")), key=OUTCOMES.index)

    def to_json(self) -> dict[str, Any]:
        """All that is known."""
        net = self.net
        about = {"net": net.number, "family": net.family, "mode": net.mode, "behavior_version": net.behavior_version}
        return {
            **about,
            "classes": list(net.classes),
            "outcome": self.outcome,
            "returnn": self.judged,
            "ours": self.ours,
        }


def table(verdicts: Sequence[Verdict], causes: int) -> list[str]:
    """Lines for a terminal."""
    accepted = [v for v in verdicts if v.accepted]
    refused = [v for v in verdicts if not v.accepted]
    classes = {c for v in accepted for c in v.net.classes}
    modern = sum(v.net.behavior_version > 20 for v in accepted)
    lines = [
        f"nets: {len(verdicts)}, accepted by RETURNN: {len(accepted)} ({modern} of them with Dim objects)",
        f"layer classes in accepted nets: {len(classes)}, in all: {len({c for v in verdicts for c in v.net.classes})}",
        f"{'target':<12}" + "".join(f"{outcome:>16}" for outcome in OUTCOMES),
    ]
    for target in TARGETS:
        counts = Counter(v.of(target)[0] for v in accepted)
        lines.append(f"{target:<12}" + "".join(f"{counts[outcome]:>16}" for outcome in OUTCOMES))
    lenient = sum(v.of("check")[0] == "agree" for v in refused)
    lines.append(
        f"refused by RETURNN: {len(refused)}, of these by us, too: {len(refused) - lenient}; more lenient: {lenient}"
    )
    for outcome in OUTCOMES[:0:-1]:
        found = [(v.net.number, f"{t}: {v.of(t)[1]}") for v in accepted for t in TARGETS if v.of(t)[0] == outcome]
        lines += _causes(f"{outcome}, by cause", _once(found), causes)
    died = [(v.net.number, v.of("check")[1]) for v in refused if v.of("check")[0] == "internal error"]
    lines += _causes("internal errors in nets that RETURNN refuses", died, causes)
    lines += _causes(
        "RETURNN refuses what we accept",
        [(v.net.number, _why(v)) for v in refused if v.of("check")[0] == "agree"],
        causes,
    )
    lines += _causes(
        "RETURNN and we refuse", [(v.net.number, _why(v)) for v in refused if v.of("check")[0] != "agree"], causes
    )
    return lines


def _why(verdict: Verdict) -> str:
    return str(verdict.judged.get("refused") or verdict.judged.get("died"))


def _once(found: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """A net's cause once, if it is the same on several targets."""
    seen: dict[tuple[int, str], tuple[int, str]] = {}
    for number, cause in found:
        seen.setdefault((number, normalized(cause.partition(": ")[2])), (number, cause))
    return list(seen.values())


def _causes(title: str, found: Sequence[tuple[int, str]], most: int) -> list[str]:
    """The most frequent causes with the numbers of some of their nets."""
    nets: dict[str, list[int]] = defaultdict(list)
    for number, cause in found:
        nets[normalized(cause)].append(number)
    ordered = sorted(nets.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = [
        f"  {len(numbers):>4}  {cause}  (nets {', '.join(map(str, numbers[:4]))})" for cause, numbers in ordered[:most]
    ]
    return [f"{title}: {len(found)}", *lines] if found else []
