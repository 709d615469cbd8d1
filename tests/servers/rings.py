"""Swift's three rings, of one device each: ``python rings.py ETC BASE_PORT``. Runs in Swift's own environment."""

import sys

from swift.common.ring import RingBuilder

etc, base = sys.argv[1], int(sys.argv[2])
for kind, port in (("object", base), ("container", base + 1), ("account", base + 2)):
    builder = RingBuilder(4, 1, 0)
    address = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "device": "d1", "weight": 1.0, "meta": "", **address})
    builder.rebalance()
    builder.get_ring().save(f"{etc}/{kind}.ring.gz")
