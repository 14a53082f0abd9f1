"""Golden cases, one for each request: `python -m tests.gpu.worker_cases PROVIDER`."""

from __future__ import annotations

import sys
from typing import Any

from tests.gpu.cases import check_case
from tests.gpu.provider import preload
from tests.gpu.workers import serve


def main(provider: str) -> None:
    """Serve cases."""
    preload(provider)

    def answer(request: Any) -> Any:
        case, profile = request
        return check_case(case, provider, profile).to_json()

    serve(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
