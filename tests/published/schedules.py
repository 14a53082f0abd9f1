"""The networks of every published pretraining, compared with those that RETURNN made of it.

    python -m tests.published.schedules CHECKOUT            # compare with data/schedules.json
    python -m tests.published.schedules CHECKOUT --record   # write that file; needs an environment with RETURNN

The file has a line for each config: the epochs, and a digest of all their network dicts. Both sides load the config
with this project's loader, and functions of the config run for both; what is compared is what RETURNN does with them.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from returnn_ir.config import Config, load_config
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.config.pretrain import PretrainOptions
from returnn_ir.config.returnn_names import WrapEpochValue
from returnn_ir.errors import UserError
from tests.published.configs import find_configs
from tests.published.surroundings import Surroundings

__all__ = ["digest", "networks_here", "networks_of_returnn"]

DATA = Path(__file__).parent / "data" / "schedules.json"


def networks_here(config: Config) -> list[Mapping[str, Any]]:
    """The network dict of each epoch of a pretraining."""
    schedule = NetworkSchedule.from_config(config)
    return [schedule.stage(epoch).definition for epoch in range(1, schedule.pretrain_epochs + 1)]


def networks_of_returnn(config: Config) -> list[Mapping[str, Any]]:
    """The same, by RETURNN; its options are those of the config, which RETURNN checks itself."""
    import returnn.pretrain

    options = PretrainOptions.from_config(config)
    if options is None or config.network is None:
        return []
    returnn.pretrain.WrapEpochValue = WrapEpochValue
    given = {name: value for name, value in vars(options).items() if value is not None}
    algorithm = given["construction_algo"]
    if callable(algorithm):
        given["construction_algo"] = lambda **step: config.call(algorithm, **step)
    made = returnn.pretrain.Pretrain(original_network_json=config.network, **given)
    return [made.get_network_json_for_epoch(epoch) for epoch in range(1, made.get_train_num_epochs() + 1)]


def digest(networks: Sequence[Mapping[str, Any]]) -> str:
    """Of all that the dicts hold; functions and other objects count by their names."""
    text = json.dumps([_plain(network) for network in networks])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple, set)):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "__name__", None) or getattr(value, "name", None) or type(value).__name__


def _summary(path: Path, networks: Any, around: Surroundings) -> list[Any] | None:
    with redirect_stdout(io.StringIO()):
        try:
            made = networks(load_config(path, around.options(path), assume=around.assume))
        except UserError as error:
            return (
                [str(error).partition("\n")[0]]
                if networks is networks_here and "the config" not in str(error)
                else None
            )
    return [len(made), digest(made)] if made else None


def main(words: list[str]) -> int:
    """Compare, or record; the exit code is 1 where something differs."""
    checkout = Path(words[0])
    networks = networks_of_returnn if "--record" in words else networks_here
    with TemporaryDirectory() as folder:
        around = Surroundings.of_checkout(checkout, Path(folder), stand_ins=True)
        found = {str(path.relative_to(checkout)): _summary(path, networks, around) for path in find_configs(checkout)}
    found = {name: summary for name, summary in found.items() if summary is not None}
    if "--record" in words:
        lines = [f"{json.dumps(name)}: {json.dumps(summary)}" for name, summary in found.items()]
        DATA.parent.mkdir(exist_ok=True)
        DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        return 0
    recorded = json.loads(DATA.read_text(encoding="utf-8"))
    differing = sorted(name for name in {*found, *recorded} if found.get(name) != recorded.get(name))
    for name in differing:
        print(f"{name}: {found.get(name)} here, {recorded.get(name)} in RETURNN")
    print(f"{len(recorded)} configs pretrain, {len(differing)} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
