"""Each way to refuse a network, with its whole message: a golden case, what is changed in it, and what is said.

``tests/refused/networks/FAMILY.txt`` has ``$ FAMILY/CASE MODE`` and the changes as Python statements; in
``written.txt`` the whole network is another one.
"""

from __future__ import annotations

from typing import Any

import pytest

from returnn_ir.config import load_config
from returnn_ir.construct.construct import construct
from returnn_ir.errors import UserError
from returnn_ir.network.net import parse_network
from tests.property.test_door import GOLDEN, copied
from tests.refused.transcripts import FOLDER, Entry, read

ENTRIES = [entry for path in sorted((FOLDER / "networks").glob("*.txt")) for entry in read(f"networks/{path.name}")]


def refusal(entry: Entry) -> str:
    """The message with which the changed case is refused."""
    case, mode = entry.command.split()
    config = load_config(f"{case}.py")
    names: dict[str, Any] = {
        "network": copied(config.network),
        "extern_data": copied(config.get("extern_data")),
        "config": config,
    }
    for line in entry.lines:
        exec(line, names)
    if names["extern_data"] is not None:
        config.set("extern_data", names["extern_data"])
    try:
        construct(parse_network(names["network"], config), mode, everything=True)
    except UserError as error:
        return str(error)
    return "accepted"


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
@pytest.mark.filterwarnings("ignore")
def test_the_whole_message(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    assert refusal(entry) == entry.message
