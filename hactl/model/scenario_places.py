"""Which node each word in braces stands for, as the lab is when an exercise begins. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hactl.model.inventory import PostgresqlService
from hactl.model.picture import Picture
from hactl.model.replication import replication
from hactl.model.succession import candidates


def places_of(picture: Picture) -> Mapping[str, str] | str:
    """The nodes by word; or, in a sentence, why that cannot be told."""
    inventory = picture.state.inventory
    found = {"cluster": inventory.name}
    for service in inventory.services.values():
        if isinstance(service, PostgresqlService):
            now = replication(service, picture)
            ready = [one for one in candidates(now) if one.eligible]
            site = inventory.nodes[now.primary].site if now.primary else ""
            near, far = [one for one in ready if one.site == site], [one for one in ready if one.site != site]
            if not now.primary or not ready:
                return f"{service.name} needs a primary and a standby that could take over"
            found |= {"primary": now.primary, "standby": (near or ready)[0].node, "far": (far or ready)[-1].node}
    for name, vip in picture.assessment.vips.items():
        others = [node for node in inventory.services[inventory.vips[name].service].nodes if node not in vip.holders]
        if len(vip.holders) != 1 or not others:
            return f"one of several balancers has to hold the VIP {name}"
        found |= {"holder": vip.holders[0], "other": others[0]}
    return found
