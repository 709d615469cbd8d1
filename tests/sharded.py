"""``python -m tests.sharded``: the `train` stage in one of several processes, its weights sharded by FSDP on a CPU.

accelerate shards on accelerators only; that it does so here too, over gloo, is all that is changed.
"""

from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType

from persuasion.running import run

_plain = AcceleratorState.__init__


def _sharding(self, *args, fsdp_plugin=None, **kwargs):
    _plain(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
    if fsdp_plugin is not None:
        self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin


if __name__ == "__main__":
    from stages import train

    AcceleratorState.__init__ = _sharding
    run(train.main)
