"""What `--limit` leaves of an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.config import load_inventory
from hactl.control.limit import restrict
from hactl.model.inventory import PgbackrestService

LAB = load_inventory(Path("inventory/lab.toml"))

CASES = [
    # nodes, services with their nodes and minimum, pools, vips
    (("app1", "app2"), {"shop": (("app1", "app2"), 1), "uploads": (("app1", "app2"), 0)}, {}, []),
    (("app1",), {"shop": (("app1",), 0), "uploads": (("app1",), 0)}, {}, []),
    (("lb1",), {"balancer": (("lb1",), 0), "vrrp": (("lb1",), 0)}, {}, []),
    (("lb1", "lb2"), {"balancer": (("lb1", "lb2"), 1), "vrrp": (("lb1", "lb2"), 1)}, {}, ["public"]),
    (
        ("lb1", "app1", "app2"),
        {
            "balancer": (("lb1",), 0),
            "vrrp": (("lb1",), 0),
            "shop": (("app1", "app2"), 1),
            "uploads": (("app1", "app2"), 0),
        },
        {"shop": ({"app1": "shop-a", "app2": "shop-b"}, 1)},
        [],
    ),
    (("db2", "db3"), {"database": (("db2", "db3"), 0)}, {}, []),
    (("backup1",), {"backup": (("backup1",), 1), "database": ((), 0)}, {}, []),
]


@pytest.mark.parametrize(("nodes", "services", "pools", "vips"), CASES, ids=[",".join(case[0]) for case in CASES])
def test_what_is_left(nodes, services, pools, vips):
    kept, _ = restrict(LAB, nodes)
    assert tuple(kept.nodes) == nodes
    assert {name: (service.nodes, service.minimum) for name, service in kept.services.items()} == services
    assert {name: (pool.servers, pool.minimum) for name, pool in kept.pools.items()} == pools
    assert list(kept.vips) == vips


@pytest.mark.parametrize("nodes", [case[0] for case in CASES] + [tuple(LAB.nodes)], ids=",".join)
def test_every_reference_still_resolves(nodes):
    kept, outside = restrict(LAB, nodes)
    assert all(set(service.nodes) <= set(kept.nodes) for service in kept.services.values())
    assert all(pool.service in kept.services and pool.balancer in kept.services for pool in kept.pools.values())
    assert all(set(pool.servers) <= set(kept.nodes) for pool in kept.pools.values())
    assert all(vip.service in kept.services for vip in kept.vips.values())
    assert all(s.database in kept.services for s in kept.services.values() if isinstance(s, PgbackrestService))
    assert {node.site for node in kept.nodes.values()} == set(kept.sites)
    counted = len(kept.nodes) + len(kept.services) + len(kept.pools) + len(kept.vips)
    whole = len(LAB.nodes) + len(LAB.services) + len(LAB.pools) + len(LAB.vips)
    assert counted + len(outside) == whole


def test_what_is_left_out_is_named():
    _, outside = restrict(LAB, ("app1", "app2", "app3"))
    assert {"node/lb1", "service/database", "pool/shop", "vip/public"} <= set(outside)
    assert restrict(LAB, LAB.nodes)[1] == ()
