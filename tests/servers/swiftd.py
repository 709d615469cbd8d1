"""One Swift server with its swift.conf in ETC, not /etc/swift: ``python swiftd.py ETC KIND``."""

import sys

from swift.common import utils

etc, kind = sys.argv[1:3]
utils.set_swift_dir(etc)  # before anything else reads /etc/swift/swift.conf

from swift.common import storage_policy  # noqa: E402
from swift.common.wsgi import run_wsgi  # noqa: E402

storage_policy.reload_storage_policies()
extra = {}
if kind == "object":
    from swift.obj import server

    extra = {"global_conf_callback": server.global_conf_callback}
sys.exit(run_wsgi(f"{etc}/{kind}-server.conf", f"{kind}-server", verbose=True, **extra))
