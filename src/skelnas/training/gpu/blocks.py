"""The reduction block of a group of networks."""

from skelnas.training.gpu.workspace import Workspace


class Reduction:
    """The residual block that leads to `stage`, for all models of a group; `name` is the module's."""

    def __init__(self, space: Workspace, stage: int, name: str) -> None:
        self.space, self.stage, self.name = space, stage, name
        models = space.state.models
        inner, outer = (models, *space.sizes[stage]), (models, *space.sizes[stage - 1])
        self.first, self.between, self.second, self.shortcut = (space.take(inner) for _ in range(4))
        self.pooled = space.take((*inner[:-1], outer[-1]))
        self.first_norms, self.second_norms = (space.state.norms(f"{name}.{part}") for part in ("first", "second"))
        self.returned, self.inner_gradient = space.take(outer), space.take(inner)
        self.inner_returned, self.pooled_gradient = space.take(inner), space.take(tuple(self.pooled.shape))

    def forward(self, evaluating: bool) -> None:
        """From the last node of the stage before to the first of this one."""
        space, operations, tables = self.space, self.space.operations, self.space.tables
        images, out = space.last_nodes(self.stage - 1), space.first_nodes(self.stage)
        first, second = (None, None) if evaluating else (self.first_norms, self.second_norms)
        space.convolve(f"{self.name}.first.weight", images, self.first, 2, True, first)
        own, norms = (tables.own_kinds, tables.own_indices), self.first_norms
        operations.sum_nodes(self.first, self.first, *own, norms.factor, norms.offset, self.between)
        space.convolve(f"{self.name}.second.weight", self.between, self.second, 1, True, second)
        quarters = [images[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        self.pooled.copy_((quarters[0] + quarters[1] + quarters[2] + quarters[3]) / 4)
        space.convolve(f"{self.name}.shortcut.weight", self.pooled, self.shortcut, 1, False)
        both, norms = (tables.shortcut_kinds, tables.shortcut_indices), self.second_norms
        operations.sum_nodes(self.shortcut, self.second, *both, norms.factor, norms.offset, out)

    def backward(self) -> None:
        """From the gradient of this stage's first node to that of the last node of the stage before."""
        space, state, operations, tables = self.space, self.space.state, self.space.operations, self.space.tables
        every, own = tables.every, (tables.own_kinds, tables.own_indices)
        gradient, images = space.final_gradient(self.stage), space.last_nodes(self.stage - 1)
        out = space.stages[self.stage - 1].gradients[: state.models]
        weights = {part: f"{self.name}.{part}.weight" for part in ("first", "second", "shortcut")}
        operations.weight_gradient(self.pooled, every, gradient, state.gradients[weights["shortcut"]], 1, False)
        operations.input_gradient(gradient, every, state.views[weights["shortcut"]], self.pooled_gradient)
        operations.batch_norm_backward(gradient, *own, self.second, self.second_norms)
        operations.weight_gradient(self.between, every, self.second, state.gradients[weights["second"]])
        operations.input_gradient(self.second, every, state.views[weights["second"]], self.inner_returned)
        operations.sum_gradients(gradient, self.inner_returned, *own, self.between, self.inner_gradient)
        operations.batch_norm_backward(self.inner_gradient, *own, self.first, self.first_norms)
        operations.weight_gradient(images, every, self.first, state.gradients[weights["first"]], 2)
        operations.input_gradient(self.first, every, state.views[weights["first"]], self.returned, 2)
        operations.sum_gradients(gradient, self.returned, *own, images, out)
        for row in (0, 1):
            for column in (0, 1):
                out[:, :, row::2, column::2] += self.pooled_gradient / 4
