"""What the verbs on one replicated database share: which one it is, and whether hactl may act on its servers at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from hactl.drivers.verbs.postgresql_server import objection
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import Scene, Verb


@dataclass(frozen=True, slots=True)
class DatabaseArguments:
    service: Annotated[str, About("the postgresql service", ParameterKind.SERVICE)]


A = TypeVar("A", bound=DatabaseArguments)


class DatabaseVerb(Verb[A], Generic[A]):
    """`servers`: those of its arguments that name servers of the database, each another one than the step's node."""

    servers: ClassVar[tuple[str, ...]] = ()

    def problem(self, scene: Scene, args: A) -> str:
        here = (scene.target.name,) if self.per_node else ()
        return objection(scene, args.service, *here, *(getattr(args, name) for name in self.servers))
