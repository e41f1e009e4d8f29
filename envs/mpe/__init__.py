"""Multi-agent particle environments: four of the games of mpe2, batched and compiled.

Discs on a plane that push themselves, bump into each other and see where the others are (Mordatch and Abbeel 2017;
Lowe et al. 2017). From the same state they agree with mpe2 1.1 step for step; only the random starts come from our
own dice. A step is 0.1 s of the particles.

* **Ids** `Spread-v0` (mpe2's simple_spread_v3): N agents cover N landmarks without touching; one team. `Tag-v0`
  (simple_tag_v3): slow adversaries hunt fast agents around obstacles. `Adversary-v0` (simple_adversary_v3): agents
  know which of N landmarks is the goal, the adversary has to guess it from what they do. `SpeakerListener-v0`
  (simple_speaker_listener_v4): the speaker knows the goal and cannot move, the listener can only move; one team.
* **Seats** mpe2's agents in their order and by their names; the role is the name without its number. Where seats
  see or do different things, rows are as wide as the widest (`envs.seats`).
* **Actions** `Discrete(5)`: stay, left, right, down, up; the speaker `Discrete(3)`: a word. With
  `continuous_actions`, `Box` of [0, 1]: (nothing, left, right, down, up), and how much of each word is said. A number
  beyond the box counts as its bound.
* **Observation** float32, in this order: Spread: own velocity, own position, landmarks, others, zeros for words that
  nobody says. Tag: own velocity, own position, obstacles, others, the velocities of the other good agents. Adversary:
  the goal (agents only), landmarks, others. Speaker: the goal's colour. Listener: own velocity, landmarks, the words
  of the step. Places other than one's own are relative to it.
* **Reward** Spread: minus the distances of each landmark to the nearest agent (all share it), minus 1 for each
  touch, weighed by `local_ratio`. Tag: 10 to every adversary and -10 to the caught for each touch, and a cost for
  agents outside the field. Adversary: minus its distance to the goal; agents get that distance, minus the distance of
  the nearest of them. SpeakerListener: minus the squared distance of the listener to the goal, for both.
* **End** truncated after `max_cycles`, never terminated. **Score** the sum of a seat's rewards of the game.
* **Options** see `envs.mpe.options`; the names are mpe2's.
* **Versions** v0.
"""
