"""Ways to change a network: each takes (architecture, space, rng) and returns a network of the space."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tinynas.architecture.architecture import Architecture, Head
from tinynas.architecture.draw import choose
from tinynas.architecture.kinds import KINDS
from tinynas.architecture.space import SearchSpace
from tinynas.errors import ArchitectureError

Operator = Callable[[Architecture, SearchSpace, np.random.Generator], Architecture]

_ATTEMPTS = 60
_NEAR = 2  # a gene with an order moves by at most so many choices

# Gene of a block -> the space's field with its choices.
GENES = {
    "kind": "kinds",
    "filters": "filters",
    "kernel_size": "kernel_sizes",
    "stride": "strides",
    "padding": "paddings",
    "activation": "activations",
    "batch_norm": "batch_norm",
    "pool": "pools",
    "pool_size": "pool_sizes",
    "residual": "residual",
    "expansion": "expansions",
}
# How often a mutation of a block picks the gene: what changes size and accuracy most comes first.
_GENE_WEIGHTS = {"kind": 2, "filters": 4, "kernel_size": 2, "stride": 2, "pool": 2, "residual": 2, "expansion": 2}


def genes_of(space: SearchSpace) -> dict[str, str]:
    """Return GENES without those that no kind of the space has: for these no random number is drawn."""
    expands = any(KINDS[kind].expands for kind in space.kinds)
    return {gene: field for gene, field in GENES.items() if expands or gene != "expansion"}


def add_block(architecture: Architecture, space: SearchSpace, rng: np.random.Generator) -> Architecture:
    """Return `architecture` with a random block put in anywhere; unchanged when it has the most blocks."""
    if len(architecture.blocks) >= space.max_depth:
        return space.repair(architecture)
    at = int(rng.integers(len(architecture.blocks) + 1))
    block = space.random_block(rng, architecture.shapes[at])
    blocks = (*architecture.blocks[:at], block, *architecture.blocks[at:])
    return space.assemble(blocks, architecture.head)


def remove_block(architecture: Architecture, space: SearchSpace, rng: np.random.Generator) -> Architecture:
    """Return `architecture` without one of its blocks; unchanged when it has one only."""
    if len(architecture.blocks) == 1:
        return space.repair(architecture)
    return without_block(architecture, space, int(rng.integers(len(architecture.blocks))))


def change_block(architecture: Architecture, space: SearchSpace, rng: np.random.Generator) -> Architecture:
    """Return `architecture` with one gene of one block changed; unchanged when no gene that was tried can."""
    genes = tuple(gene for gene in genes_of(space) for _ in range(_GENE_WEIGHTS.get(gene, 1)))
    for _ in range(_ATTEMPTS):
        at = int(rng.integers(len(architecture.blocks)))
        gene = choose(rng, genes)
        value = _other(getattr(architecture.blocks[at], gene), getattr(space, GENES[gene]), rng)
        child = with_genes(architecture, space, at, **{gene: value})
        if child != architecture:
            return child
    return space.repair(architecture)


def change_head(architecture: Architecture, space: SearchSpace, rng: np.random.Generator) -> Architecture:
    """Return `architecture` with another pooling or another number of hidden units in its head."""
    head = architecture.head
    heads = [Head(pooling, head.hidden_units) for pooling in space.head_poolings]
    heads += [Head(head.pooling, units) for units in space.hidden_units]
    others = [other for other in heads if other != head]
    return space.assemble(architecture.blocks, choose(rng, others) if others else head)


# Operator -> its share of the mutations. Adding and removing weigh the same, so that depth does not drift.
_OPERATORS: dict[Operator, float] = {add_block: 0.2, remove_block: 0.2, change_block: 0.5, change_head: 0.1}


def mutate(
    architecture: Architecture, space: SearchSpace, rng: np.random.Generator, n_mutations: int = 1
) -> Architecture:
    """Return a child of `architecture` after `n_mutations` changes: in the space, never equal to its parent.

    Raises ArchitectureError when a bounded number of attempts finds no other network, as in a space of one.
    """
    if n_mutations < 1:
        raise ArchitectureError(f"The number of mutations must be at least 1, got {n_mutations}.")
    operators, shares = tuple(_OPERATORS), tuple(_OPERATORS.values())
    for _ in range(_ATTEMPTS):
        child = architecture
        for _ in range(n_mutations):
            child = operators[int(rng.choice(len(operators), p=shares))](child, space, rng)
        if child.key != architecture.key:
            return child
    raise ArchitectureError(
        f"No mutation of {architecture} gave another network in {_ATTEMPTS} attempts; widen the search space."
    )


def with_genes(architecture: Architecture, space: SearchSpace, at: int, **genes: Any) -> Architecture:
    """Return `architecture` with other genes in block number `at`, repaired."""
    blocks = list(architecture.blocks)
    blocks[at] = replace(blocks[at], **genes)
    return space.assemble(blocks, architecture.head)


def without_block(architecture: Architecture, space: SearchSpace, at: int) -> Architecture:
    """Return `architecture` without block number `at`, repaired."""
    return space.assemble(architecture.blocks[:at] + architecture.blocks[at + 1 :], architecture.head)


def _other(value: Any, choices: tuple[Any, ...], rng: np.random.Generator) -> Any:
    """Return another choice than `value`: a near one where the choices are numbers, else any."""
    if isinstance(value, bool) or not isinstance(value, int):
        others = tuple(choice for choice in choices if choice != value)
        return choose(rng, others) if others else value
    ordered = sorted({*choices, value})
    at = ordered.index(value)
    near = (*ordered[max(0, at - _NEAR) : at], *ordered[at + 1 : at + 1 + _NEAR])
    return choose(rng, near) if near else value
