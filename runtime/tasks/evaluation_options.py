"""How an evaluation runs the network: as such, as in training, or updating what it evaluates."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.config import Config
from returnn_ir.config.read import place_of, read_config
from returnn_ir.errors import ConfigError
from returnn_ir.options import ZeroOrMore

__all__ = ["EvaluationOptions"]


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """Options of evaluations, in a training and of ``task = "eval"``.

    Attributes:
        eval_use_train_flag: layers behave as in training, with dropout; None: as ``train_in_eval`` says.
        train_in_eval: every batch also updates the parameters, which are not written anywhere.
        eval_learning_rate: of these updates.
        learning_rate: the same where that is None.
    """

    eval_use_train_flag: bool | None = None
    train_in_eval: bool = False
    eval_learning_rate: ZeroOrMore | None = None
    learning_rate: ZeroOrMore = 1.0

    @staticmethod
    def from_config(config: Config) -> EvaluationOptions:
        """Read the options.

        Raises:
            ConfigError: updates on the evaluation data of a training, or of a network that behaves as in evaluation.
        """
        options = read_config(EvaluationOptions, config)
        if options.train_in_eval and config.value("task", "train") == "train":
            raise ConfigError(
                "a training cannot train on its evaluation data",
                where=place_of(config, "train_in_eval"),
                expected="train_in_eval only for task = 'eval'",
            )
        if options.train_in_eval and options.eval_use_train_flag is False:
            raise ConfigError(
                "what is trained behaves as in training",
                where=place_of(config, "eval_use_train_flag"),
                expected="True or nothing, beside train_in_eval",
            )
        return options

    @property
    def mode(self) -> str:
        """What the network is compiled for."""
        return "train" if self.eval_use_train_flag or self.train_in_eval else "eval"

    @property
    def rate(self) -> float:
        """The learning rate of the updates."""
        return self.learning_rate if self.eval_learning_rate is None else self.eval_learning_rate
