"""Muon: momentum whose update is orthogonalised, for matrices and for convolutions seen as matrices.

K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
"""
import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5


def orthogonalise(u):
    """The nearest (semi-)orthogonal matrices of a batch [N, A, B], roughly, in bfloat16."""
    a, b, c = NEWTON_SCHULZ
    tall = u.shape[1] > u.shape[2]
    x = u.bfloat16()
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon:
    """Parameters of equal shape are stepped together."""

    def __init__(self, params, momentum=0.95, weight_decay=0.01):
        self.momentum, self.weight_decay = momentum, weight_decay
        by_shape = {}
        for p in params:
            by_shape.setdefault(tuple(p.shape), []).append(p)
        self.groups = [(ps, torch.zeros(len(ps), shape[0], ps[0][0].numel(), device=ps[0].device)) for shape, ps in by_shape.items()]

    @torch.no_grad()
    def step(self, lr):
        """lr is a number, or a tensor of one number where the step is recorded in a CUDA graph."""
        for params, buffer in self.groups:
            gradient = torch.stack([p.grad.flatten(1) for p in params]).float()
            buffer.lerp_(gradient, 1 - self.momentum)
            update = orthogonalise(gradient.lerp(buffer, self.momentum))
            update *= 0.2 * max(update.shape[1:]) ** 0.5
            old = torch.stack([p.flatten(1) for p in params])
            torch._foreach_add_(params, [u.view(params[0].shape) for u in (-lr * (update + self.weight_decay * old)).unbind()])

    def forget(self):
        for _, buffer in self.groups:
            buffer.zero_()
