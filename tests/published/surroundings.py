"""What published configs find here in place of their authors' machines: options of ``returnn-compile``, nothing else.

That is ``--assume-files``, and ``--map-path`` for what is elsewhere in the checkout or in its history. With stand-ins
it is ``--module``, too, for what only one cluster had (``modules/``).
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from returnn_ir.config import NOTHING_ASSUMED, Assumptions

__all__ = ["Surroundings"]

#: Folders that the authors had elsewhere, and where the checkout has them.
_FOLDERS = {
    "../hmm_module": "2020-zero-order-latent-attention/hmm_module",
    "/u/bahar/workspace/st/iwslt2020/st--en-es-20200720/config-train/extra_module": (
        "2020-st-tight-integration/extra_module"
    ),
    "/u/tng/src/phone-bpe-tools": "2020-phone-bpe-attention/scripts",
    "path/to/2022-lsh-attention": "2022-lsh-attention",
}
_REPOSITORY = "github.com/rwth-i6/returnn-experiments"
#: Commits that have the folder ``common`` of the repository, by the version that configs import.
_COMMON = {"": "4a463c9^", "20210324-75f7809": "75f78096518b"}
#: Modules that nobody else has.
_WRITTEN = {"cachemanager": Path(__file__).parent / "modules" / "cachemanager.py"}

_INTERNAL_LM = "2021-internal-lm-attention/switchboard/lm"
_ASR = (
    "2019-asr-synthetic-data/sisyphus_project/config/returnn_configs/asr/train-clean-100.exp3.ctc.ogg.lrwarmupextra10"
)
_TTS = "2019-asr-synthetic-data/sisyphus_project/config/returnn_configs/tts/tts-clean-100.dec640.enc256.enclstm512"
#: Options without which a config does not say what its network is: its author's scripts gave them on the command line.
_OPTIONS = {
    f"{_ASR}.config": ("++ext_num_classes", "10025"),
    f"{_ASR}.specaug.config": ("++ext_num_classes", "10025"),
    f"{_TTS}.config": ("++ext_norm_mean_value", "0.0", "++ext_norm_std_dev_value", "1.0"),
    "2020-lm-integration/lstm_lm_local.config": ("++ext_model", "/model", "++ext_data_path", "/data/"),
    "2020-lm-integration/lstm_lm_mmi.config": ("++ext_model", "/model", "++ext_data_path", "/data/"),
    "2021-tts-asr-librispeech100h/blstm-attention-asr/blstm-attention-asr.config": (
        "++ext_model",
        "/model",
        "++ext_data_path",
        "/data/",
    ),
    f"{_INTERNAL_LM}/trans_only_lstm_1l_1024_bpe_500.config": ("++vocab_size", "534"),
    f"{_INTERNAL_LM}/transf_6l_bpe500.config": ("++vocab_size", "534"),
}


@dataclass(frozen=True)
class Surroundings:
    """What the configs of a checkout are loaded with.

    Attributes:
        checkout: None: they are of no checkout that is known here.
    """

    assume: Assumptions
    checkout: Path | None = None

    @classmethod
    def of_checkout(
        cls, checkout: Path, folder: Path, *, stand_ins: bool, given: Assumptions = NOTHING_ASSUMED
    ) -> Surroundings:
        """Those of a checkout of returnn-experiments.

        Args:
            folder: an empty one, for what is in the history of the checkout and not in it.
            stand_ins: also modules.
            given: further modules and paths; they win.
        """
        places = {old: checkout / new for old, new in _FOLDERS.items()}
        paths = {old: str(new) for old, new in places.items() if new.is_dir()} | _history(checkout, folder)
        modules = _WRITTEN if stand_ins else {}
        return cls(Assumptions(True, {**paths, **given.paths}, {**modules, **given.modules}), checkout)

    def options(self, path: Path) -> tuple[str, ...]:
        """The words of the command line with which a config is loaded."""
        inside = self.checkout is not None and path.is_relative_to(self.checkout)
        return _OPTIONS.get(str(path.relative_to(self.checkout)), ()) if inside and self.checkout is not None else ()


def _history(checkout: Path, folder: Path) -> dict[str, str]:
    """Checkouts of older versions, by what ``returnn.import_`` calls them; none where there is no history."""
    found = {}
    for version, commit in _COMMON.items():
        command = ["git", "-C", str(checkout), "archive", commit, "common"]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0:
            place = folder / (version or "dev")
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
                archive.extractall(place, filter="data")
            found[f"{_REPOSITORY}@v{version}" if version else _REPOSITORY] = str(place)
    return found
