"""What can go wrong, as one clear message and a documented exit code each.

Every refusal says what happened, where, why, and what to do; ``running`` prints it
without a traceback and exits with the code of its class (docs/reference/exit-codes.md).
"""


class Failure(Exception):
    """A refusal that a user can act on: ``what`` happened, ``where``, ``why``, how to ``fix`` it."""

    exit_code = 1

    def __init__(self, what: str, *, where: object = "", why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.why, self.fix = what, str(where), why, fix

    def __str__(self) -> str:
        parts = (("where", self.where), ("why", self.why), ("fix", self.fix))
        return "\n".join([self.what, *(f"  {name}: {text}" for name, text in parts if text)])


class UsageFailure(Failure):
    """Parameters or arguments are wrong."""

    exit_code = 2


class DataFailure(Failure):
    """The data is missing, malformed, or too little for what was asked."""

    exit_code = 3


class SurroundingsFailure(Failure):
    """The machine lacks something: a file, a model, disk, memory, a permission."""

    exit_code = 4


class RemoteFailure(Failure):
    """A remote store or server refused or did not answer."""

    exit_code = 5


class TrainingFailure(Failure):
    """Training diverged (NaN, infinity)."""

    exit_code = 6


class IntegrityFailure(Failure):
    """Two things that must agree do not (hashes, keys, the loss before the first step)."""

    exit_code = 7


class SafetyFailure(Failure):
    """A safety gate was exceeded."""

    exit_code = 8
