"""Action distributions: log-probability, entropy, mode, and sampling from the caller's generator.

Rows are [...], any number of axes. Parameters come with their own axis first, as `networks.Heads` gives them; actions
have it last, as everywhere else. Samples are drawn with NumPy generators, so a match is a function of
its seed on every device.
"""

from agents.distributions.action_dist import ActionDist
from agents.distributions.choice import Bernoulli, Categorical, EpsilonGreedy
from agents.distributions.gaussian import Gaussian, Jittered, within_reach
from agents.distributions.joint import Joint
from agents.distributions.space import BoxDist, box_bounds, box_width, distribution, head_width

__all__ = [
    "ActionDist",
    "Bernoulli",
    "BoxDist",
    "Categorical",
    "EpsilonGreedy",
    "Gaussian",
    "Jittered",
    "Joint",
    "box_bounds",
    "box_width",
    "distribution",
    "head_width",
    "within_reach",
]
