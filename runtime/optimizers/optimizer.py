"""The optimizer of one training: options, state and one step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from returnn_ir.errors import did_you_mean
from runtime.optimizers.accumulation import accumulated, is_last
from runtime.optimizers.gradients import GradientProcessing, Norms
from runtime.optimizers.group import UpdateGroup
from runtime.optimizers.loss_scale import LossScale
from runtime.optimizers.update_options import LayersWishes, UpdateOptions, VariableOptions

__all__ = ["Optimizer"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any

_SCOPE = "optimize"  # RETURNN's variable scope for slots

_SUM = "accum_grad"


class Optimizer:
    """Updates plain ``tf.Variable`` objects from gradients.

    ``create`` → ``build`` (outside of any ``tf.function``, it makes variables) → ``apply`` in the training step.

    Attributes:
        loss_scale: of a training in float16, once it was asked for; None: losses are not scaled.
    """

    def __init__(self, options: UpdateOptions) -> None:
        self.options = options
        self._variables: dict[str, Variable] = {}
        self._how: dict[str, VariableOptions] = {}
        self._decays: dict[str, float] = {}
        self._groups: list[UpdateGroup] = []
        self._group_of: dict[str, UpdateGroup] = {}
        self._sums: dict[str, Variable] = {}
        self.loss_scale: LossScale | None = None

    @staticmethod
    def create(config: Mapping[str, object]) -> Optimizer:
        """The optimizer that ``config`` asks for; a wrong option is a :class:`ConfigError`."""
        return Optimizer(UpdateOptions.from_config(config))

    # ---------------------------------------------------------------- variables and state

    def build(self, variables: Mapping[str, Variable], params: Mapping[str, LayersWishes] | None = None) -> None:
        """Make the state of those of the trainable ``variables``, keyed by checkpoint name, that have none yet.

        What was built before, for another network, goes on as it is; how variables are updated is a matter of the
        network that comes next.

        Args:
            params: of the network, with what its layers say about updates; without it they say nothing.
        """
        import tensorflow as tf

        for name, variable in variables.items():
            param = params[name] if params is not None else None
            how = self.options.of_variable(param.updater_opts if param is not None else {})
            self._variables[name], self._how[name] = variable, how
            self._decays[name] = param.decay if param is not None else 0.0
            group = self._group_of[name] = self._group(how)
            if name not in group.slots:
                group.add(name, variable)
            if how.gradients.sum_over > 1 and name not in self._sums:
                self._sums[name] = tf.Variable(tf.zeros_like(variable), trainable=False)

    def scale_losses(self) -> None:
        """Make the loss scale, if there is none yet and the options do not forbid it."""
        if self.loss_scale is None and self.options.loss_scale.enabled:
            self.loss_scale = LossScale(self.options.loss_scale)

    def _group(self, how: VariableOptions) -> UpdateGroup:
        sum_over = max(how.gradients.sum_over, 1)
        for group in self._groups:
            if (group.chosen, group.own, group.sum_over) == (how.optimizer, how.own, sum_over):
                return group
        self._groups.append(UpdateGroup(how.optimizer, sum_over, own=how.own))
        return self._groups[-1]

    def reset(self, variables: Mapping[str, Variable], params: Mapping[str, LayersWishes] | None = None) -> None:
        """Start anew: state of these trainable variables as before the first step, and of no others.

        The state of variables that are the same objects stays the same objects.
        """
        of_variables = (self._variables, self._how, self._decays, self._group_of, self._sums)
        for name in [name for name, variable in self._variables.items() if variables.get(name) is not variable]:
            for mine in (*of_variables, *(group.slots for group in self._groups)):
                mine.pop(name, None)
        self.restart()
        self.build(variables, params)
        for group in self._groups:
            group.slots = {name: slots for name, slots in group.slots.items() if self._group_of[name] is group}
        # as in an optimizer that has seen no other network: their order gives names to what they share
        place = {name: index for index, name in enumerate(variables)}
        used = [group for group in self._groups if group.slots]
        self._groups = sorted(used, key=lambda group: min(place[name] for name in group.slots))

    def restart(self) -> None:
        """All state as it was at first."""
        import tensorflow as tf

        for group in self._groups:
            group.restart()
        for buffer in self._sums.values():
            buffer.assign(tf.zeros_like(buffer))

    def state(self) -> dict[str, Variable]:
        """All state by checkpoint name: ``optimize/W/Adam``, ``optimize/beta1_power``, ``optimize/W/accum_grad``."""
        result: dict[str, Variable] = {}
        for group in self._groups:
            suffix = group.chosen.slot_suffix
            for name in self._names(group, group.slots):
                for index, slot in enumerate(group.slots[name]):
                    result[f"{_SCOPE}/{name}/{suffix}" + (f"_{index}" if index else "")] = slot
            for name, power in group.powers.items():
                result[_free(f"{_SCOPE}/{name}_power", result)] = power
        return {**result, **self.optional()}

    def optional(self) -> dict[str, Variable]:
        """Of the state, what begins anew where a checkpoint has none: sums of gradients that an update is waiting for,
        and the loss scale.
        """
        scale = {} if self.loss_scale is None else self.loss_scale.state()
        sums = {f"{_SCOPE}/{name}/{_SUM}": buffer for name, buffer in self._sums.items()}
        return {**sums, **{f"{_SCOPE}/{name}": variable for name, variable in scale.items()}}

    def _names(self, group: UpdateGroup, names: Iterable[str]) -> list[str]:
        """Those of the names whose variables are the group's now."""
        return [name for name in names if self._group_of[name] is group]

    # ---------------------------------------------------------------- one step

    def apply(
        self,
        grads: Mapping[str, Tensor | None],
        learning_rate: Tensor,
        step: Tensor | None = None,
        norm_grads: Mapping[str, Tensor] | None = None,
        usable: Tensor | None = None,
    ) -> None:
        """One step: an update of the variables that ``grads`` names; a gradient of None leaves its variable as it is.

        Args:
            grads: by variable name, dense or ``tf.IndexedSlices``, each of its variable's shape.
            learning_rate: float32 scalar.
            step: int64 scalar, the global step before this update; only where :attr:`needs_step`.
            norm_grads: gradients of the global norm of the gradients; only where :attr:`needs_norm_gradients`.
            usable: bool scalar; without it there is no update, and nothing to add to the sum of one of several steps.
        """
        import tensorflow as tf

        for name in grads:
            if name not in self._variables:
                raise KeyError(f"no variable {name!r} was built; {did_you_mean(name, self._variables) or ''}")
        found = {name: grad for name, grad in grads.items() if grad is not None}
        rate = self.options.schedule.apply(tf.cast(learning_rate, tf.float32), step)
        how = {name: self._how[name] for name in found}
        wanted = {tag for options in how.values() for tag in options.gradients.norm_tags}
        norms = Norms(found, {name: options.tags for name, options in how.items()}, wanted)
        process = GradientProcessing(norms, self.options.seed, step)
        larger = {name: self._with_norm(name, grad, norm_grads or {}) for name, grad in found.items()}
        summed = {name: self._summed(name, grad, step, usable) for name, grad in larger.items()}
        for sum_over in sorted({group.sum_over for group in self._groups}):
            groups = [group for group in self._groups if group.sum_over == sum_over]
            due = is_last(step, sum_over) if sum_over > 1 else usable
            if due is None:
                self._update(groups, summed, process, rate)
            else:
                update = _without_result(self._update, groups, summed, process, rate)
                tf.cond(due, update, _without_result(lambda: None))

    @property
    def needs_norm_gradients(self) -> bool:
        """Whether :meth:`apply` needs the gradients of the global norm."""
        return any(how.gradients.maximize_norm > 0 for how in self._how.values())

    @property
    def needs_step(self) -> bool:
        """Whether :meth:`apply` needs the global step: for sums, noise or a dynamic learning rate."""
        all_options = [self.options.gradients, *(how.gradients for how in self._how.values())]
        return self.options.schedule.needs_step or any(o.noise > 0 or o.sum_over > 1 for o in all_options)

    def _with_norm(self, name: str, grad: Tensor, norm_grads: Mapping[str, Tensor]) -> Tensor:
        """The gradient of a loss from which a share of the gradients' norm is subtracted."""
        import tensorflow as tf

        share = self._how[name].gradients.maximize_norm
        return tf.convert_to_tensor(grad) - share * norm_grads[name] if share and name in norm_grads else grad

    def _summed(self, name: str, grad: Tensor, step: Tensor | None, usable: Tensor | None) -> Tensor:
        import tensorflow as tf

        sum_over = self._how[name].gradients.sum_over
        if sum_over > 1:
            if usable is not None:
                grad = tf.convert_to_tensor(grad)
                grad = tf.where(usable, grad, tf.zeros_like(grad))
            return accumulated(self._sums[name], grad, step, sum_over)
        return tf.convert_to_tensor(grad) if sum_over == 1 else grad

    def _update(
        self, groups: Collection[UpdateGroup], grads: Mapping[str, Tensor], process: GradientProcessing, rate: Tensor
    ) -> None:
        """Update the variables of some groups."""
        numbers = {name: number for number, name in enumerate(grads)}
        for group in groups:
            ready = {
                name: process(self._how[name].gradients, grads[name], numbers[name])
                for name in self._names(group, grads)
            }
            for name in ready:
                if self._decays[name]:
                    # before the gradient's own update; the gradient is of the variable as it was
                    variable = self._variables[name]
                    variable.assign_sub(variable * (2 * self._decays[name]))
            if ready:
                group.apply(self._variables, ready, rate)


def _free(name: str, taken: Collection[str]) -> str:
    """A name that is not taken yet: TensorFlow puts a number behind it."""
    numbered = (name if number == 0 else f"{name}_{number}" for number in range(len(taken) + 1))
    return next(candidate for candidate in numbered if candidate not in taken)


def _without_result(f: Any, *args: object) -> Any:
    """A branch of ``tf.cond`` that only has effects."""
    import tensorflow as tf

    def branch() -> Tensor:
        f(*args)
        return tf.constant(True)

    return branch
