"""Memory and the walk back along it: all of reverse-mode differentiation, in three functions.

Every operation leaves on its result a link to each operand: a rule that takes the gradient with
respect to the result, and gives what it contributes to the gradient with respect to the operand.
`tape` puts all results in order, `sweep` walks them backward, `unbroadcast` undoes copies
(Linnainmaa 1976; Rumelhart et al. 1986). What an operation computes stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from firstlight.autodiff import checks
from firstlight.autodiff.checks import Floats

__all__ = ["Node", "gradients", "sweep", "tape", "unbroadcast"]

Pull = Callable[[Floats], Any]


class Node:
    """A value that remembers how it was made.

    Args:
        value: Real numbers of any shape; of a leaf, whole numbers are refused.
        operation: What made it; a value that somebody writes down is a "leaf".
        links: Pairs of an operand and its rule, from the result's gradient to the operand's.

    Attributes:
        gradient: Derivative of the tensor on which `backward` was called; None before that.
        constant: Whether an operation made it from constants alone: no gradient passes.
    """

    def __init__(
        self, value: Any, operation: str = "leaf", links: Sequence[tuple[Any, Pull]] = ()
    ) -> None:
        leaf = operation == "leaf"
        self.value: Floats = checks.as_leaf(value) if leaf else np.asarray(value)
        self.operation = operation
        self.links = tuple(link for link in links if not link[0].constant)
        self.constant = not leaf and not self.links
        self.gradient: Floats | None = None

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands that gradients flow to."""
        return tuple(operand for operand, _ in self.links)

    def backward(self, gradient: Any = None) -> None:
        """Give every node on the tape its gradient; leaves add it to what they hold.

        Args:
            gradient: That of some later number with respect to this one, in its shape; needed
                unless this is a single number itself.

        Raises:
            ValueError: If a single number was needed, a value or a slope is not finite, or the
                tape was walked back before.
        """
        checks.fresh(tape(self))
        for node, slope in sweep(self, gradient):
            node.gradient = np.array(slope if node.gradient is None else node.gradient + slope)


def tape(tensor: Node) -> list[Node]:
    """All that a tensor was made from, operands before results, the tensor itself last."""
    order: list[Node] = []
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        node = waiting[-1]
        unseen = [operand for operand in node.parents if id(operand) not in seen]
        waiting.extend(reversed(unseen))
        if not unseen:
            waiting.pop()
            if id(node) not in seen:
                seen.add(id(node))
                order.append(node)
    return order


def sweep(tensor: Node, gradient: Any = None) -> Iterator[tuple[Node, Floats]]:
    """Walk the tape backward; yields every tensor once, with its complete gradient.

    A tensor that was used twice is reached only after both uses, which is why the tape must be
    in order; its gradient is the sum of what the uses send. Each gradient is forgotten as soon
    as it has been passed on.

    Args:
        tensor: Where to start.
        gradient: As for `Node.backward`.
    """
    order = tape(tensor)
    flow = {id(tensor): checks.as_gradient(order, gradient)}
    for node in reversed(order):
        arrived = flow.pop(id(node))
        if not node.links:
            checks.finite_gradient(arrived)
        yield node, arrived
        for operand, pull in node.links:
            share = unbroadcast(pull(arrived), operand.shape)
            flow[id(operand)] = flow[id(operand)] + share if id(operand) in flow else share


def gradients(tensor: Node, variables: Sequence[Node], gradient: Any = None) -> list[Floats]:
    """Gradients of a number with respect to each variable: fresh arrays, and nothing is kept.

    Args:
        tensor: A loss.
        variables: Leaves or intermediate tensors.
        gradient: As for `Node.backward`.

    Returns:
        One array a variable, in its shape; zeros where the loss does not depend on it.

    Raises:
        ValueError: If the loss is no tensor, or no single number.

    Example:
        >>> x, y = Variable(3.0), Variable(4.0)
        >>> gradients(x * y, [x, y])
        [array(4.), array(3.)]
    """
    checks.all_tensors(tensor, variables)
    wanted = {id(variable) for variable in variables}
    found = {id(node): slope for node, slope in sweep(tensor, gradient) if id(node) in wanted}
    return [np.array(found.get(id(v), np.zeros_like(v.value))) for v in variables]


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Floats:
    """Undo broadcasting: what was copied along an axis collects the gradients of its copies.

    Args:
        gradient: In the shape of a result.
        shape: That of an operand that was broadcast to it.

    Raises:
        ValueError: If broadcasting never makes the one from the other: a rule is wrong.

    Example:
        >>> unbroadcast(np.ones((3, 2)), (2,))
        array([3., 3.])
    """
    gradient = np.asarray(gradient)
    if gradient.shape == shape:
        return gradient
    checks.broadcast_from(gradient.shape, shape)
    gradient = np.asarray(gradient.sum(axis=tuple(range(gradient.ndim - len(shape)))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 != gradient.shape[axis])
    return np.asarray(gradient.sum(axis=stretched, keepdims=True))
