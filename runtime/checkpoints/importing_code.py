"""What a config's function for ``custom_param_importer`` sees: RETURNN's layer, parameters and session, on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import ConfigError, Origin, UserError
from runtime.checkpoints.sources import Wanted

__all__ = ["ImportingCode"]


class ImportingCode:
    """The function's call for a layer, which happens once, when the first value is asked for.

    Args:
        layer: its name.
        prefix: what stands before the names of its parameters in those of variables.
        wanted: the variables of the layer.
        stored: reads the checkpoint's values of such variables, by the names of parameters.
        where: the option in the config.
    """

    def __init__(
        self,
        layer: str,
        prefix: str,
        function: Callable[..., object],
        wanted: Mapping[str, Wanted],
        stored: Callable[[], dict[str, Array]],
        where: Origin | None,
    ) -> None:
        self._layer, self._prefix, self._function = layer, prefix, function
        self._wanted, self._stored, self._where = wanted, stored, where
        self._values: dict[str, Array] | None = None

    def value(self, name: str, initials: Mapping[str, Array]) -> Array:
        """The value of a variable after the function has run.

        Raises:
            ConfigError: it failed.
        """
        if self._values is None:
            self._values = self._run(initials)
        return self._values[name]

    def _run(self, initials: Mapping[str, Array]) -> dict[str, Array]:
        params = {
            name.removeprefix(self._prefix): Parameter(variable, initials[name])
            for name, variable in self._wanted.items()
        }
        layer, session = ImportingLayer(self._layer, params), Session()
        try:
            self._function(layer=layer, values_dict=self._stored(), session=session)
        except UserError as error:
            error.where = error.where or self._where
            raise
        except Exception as error:  # the config's own code runs here
            what = f"custom_param_importer of layer {self._layer!r} fails: {type(error).__name__}: {error}"
            raise ConfigError(what, where=self._where) from error
        return {self._prefix + inner: parameter.value for inner, parameter in params.items()}


class Parameter:
    """A ``tf.Variable`` of the layer."""

    def __init__(self, wanted: Wanted, value: Array) -> None:
        self.name = f"{wanted.name}:0"
        self.dtype = np.dtype(wanted.dtype)
        self.shape = Shape(wanted.shape)
        self.value = value

    def get_shape(self) -> Shape:
        """As of a tensor."""
        return self.shape

    def load(self, value: object, session: object = None) -> None:
        """Assign a value.

        Raises:
            ConfigError: it has another shape.
        """
        array = np.asarray(value, self.dtype)
        if array.shape != tuple(self.shape):
            raise ConfigError(
                f"parameter {self.name.removesuffix(':0')!r} got a value of another shape",
                expected=list(self.shape),
                received=list(array.shape),
            )
        self.value = array

    def eval(self, session: object = None) -> Array:
        """The value."""
        return self.value

    read_value = eval


class Shape(tuple[int, ...]):
    """A ``tf.TensorShape`` whose sizes are known."""

    ndims = property(len)

    def as_list(self) -> list[int]:
        """The sizes."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """They are."""
        return True


class ImportingLayer:
    """The layer, whose parameters are assigned through the ``network``'s assigners or by themselves."""

    def __init__(self, name: str, params: dict[str, Parameter]) -> None:
        self.name = name
        self.params = params
        self.network = Network()


class Network:
    """What of RETURNN's network assigns variables."""

    def get_var_assigner(self, var: Parameter) -> Assigner:
        """Assigns one."""
        return Assigner(var)


class Assigner:
    """``VariableAssigner``."""

    def __init__(self, var: Parameter) -> None:
        self._var = var

    def assign(self, value: object, session: object = None) -> None:
        """Assign a value."""
        self._var.load(value, session)


class Session:
    """Runs what there is to run: the parameters' own values."""

    def run(self, fetches: Any) -> Any:
        """The value of a parameter, or of several, in the same structure."""
        if isinstance(fetches, Parameter):
            return fetches.value
        if isinstance(fetches, Mapping):
            return {key: self.run(fetch) for key, fetch in fetches.items()}
        if isinstance(fetches, (list, tuple)):
            return type(fetches)([self.run(fetch) for fetch in fetches])
        raise ConfigError(
            "a function for custom_param_importer runs parameters only, there is no TensorFlow graph",
            received=repr(fetches),
            hint="session.run(layer.params['W']), and NumPy for what is computed",
        )
