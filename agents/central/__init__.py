"""Central critics and their actors: the gradients by which they learn, compiled or by autograd."""

from agents.central.autograd import Autograd
from agents.central.compiled import Compiled
from agents.central.gradients import Gradients, Loss, Networks

__all__ = ["Autograd", "Compiled", "Gradients", "Loss", "Networks"]
