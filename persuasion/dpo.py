"""Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290), on plain floats and tensors.

Training uses TRL's losses behind ``training``; these are the same quantities for tables,
metrics and the check before the first step.
"""

import math

LN2 = math.log(2.0)  # the sigmoid loss of a policy equal to its reference: -log sigmoid(0)


def reward(policy_logp: float, reference_logp: float, beta: float) -> float:
    """Implicit reward beta * (log pi(y|x) - log pi_ref(y|x)), up to a prompt-only term (eq. 5)."""
    return beta * (policy_logp - reference_logp)


def loss(margin: float) -> float:
    """-log sigmoid(m) for margin m, in nats (eq. 7)."""
    return softplus(-margin)


def softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
