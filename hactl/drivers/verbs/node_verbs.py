"""All verbs that act on a node itself: its packages, services, files and commands."""

from __future__ import annotations

from hactl.drivers.verbs import ansible, command, file, node, package, service
from hactl.model.verb import AnyVerb

VERBS: tuple[AnyVerb, ...] = (*package.VERBS, *node.VERBS, *service.VERBS, *file.VERBS, *command.VERBS, *ansible.VERBS)
