"""Where a playbook's parameter may be taken from when the operator says nothing: a closed set.

Written `from = "primary of $service"`: a source, and the parameter above whose value it is asked of; of a node also
`in $site` or `outside $site`: none but one on that side will do. `config` holds playbooks to it, `planning` answers
from the picture that the plan is made from, so that a plan has real names in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hactl.model.parameters import ParameterKind, Place, Side, Taken

_NAME = r"\$([a-z][a-z0-9_-]{0,62})"
_WRITTEN = re.compile(rf"([a-z]+(?: [a-z]+)*?)(?: of {_NAME})?(?: ({'|'.join(Side)}) {_NAME})?")


@dataclass(frozen=True, slots=True)
class Source:
    """`kind`: of the parameters that it may fill. `of`: of the parameter that it is asked of; None: of none."""

    name: str
    kind: ParameterKind
    of: ParameterKind | None
    meaning: str

    @property
    def written(self) -> str:
        return self.name if self.of is None else f"{self.name} of ${self.of}"

    @property
    def placed(self) -> bool:
        """Whether it may be asked for a place: whoever stands somewhere."""
        return self.kind is ParameterKind.NODE


_NODE, _SERVICE, _VIP, _LIMIT = ParameterKind.NODE, ParameterKind.SERVICE, ParameterKind.VIP, ParameterKind.LIMIT

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        one.name: one
        for one in (
            Source("primary", _NODE, _SERVICE, "the one primary of the database, as it is seen now"),
            Source("last primary", _NODE, _SERVICE, "the primary, or the server that was last seen or known to be it"),
            Source("successor", _NODE, _NODE, "the one primary of the server's database that is not the server itself"),
            Source("candidate", _NODE, _SERVICE, "the standby that can take over without loss and suits best"),
            Source("replacement", _NODE, _NODE, "likewise for the server, which has to be the primary now"),
            Source("survivor", _NODE, _SERVICE, "the standby that has the most of what the last primary wrote"),
            Source("holder", _NODE, _VIP, "the node that has the VIP"),
            Source("servers", _LIMIT, _SERVICE, "the nodes that provide the service"),
            Source("repository", _NODE, _SERVICE, "the node that has the repository of the backups"),
            Source("drill node", _NODE, _SERVICE, "the node where those backups are restored to be tried"),
            Source("the only postgresql", _SERVICE, None, "the database, where the inventory has one"),
            Source(
                "the first pgbackrest",
                _SERVICE,
                None,
                "the backups; of several the ones that the inventory names first",
            ),
            Source("the first restic", _SERVICE, None, "the files that restic keeps; of several the first"),
            Source("the only vip", _VIP, None, "the VIP, where the inventory has one"),
        )
    }
)


def read_source(text: str) -> Taken | None:
    """What `text` says; None where it is not written as a source is. Whether there is such a one is not looked at."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    place = Place(Side(found[3]), found[4]) if found[3] else None
    return Taken(found[1], found[2] or "", place)
