"""Classic control: five small tasks of one seat, the yardstick of single-agent learning.

`CartPole-v0` (200 steps), `CartPole-v1` (500), `Pendulum-v1` (200), `Acrobot-v1` (500), `MountainCar-v0` (200) and
`MountainCarContinuous-v0` (999). Rules, spaces, rewards and options are Gymnasium's, whose games these repeat bit
for bit from the same state; only the random starts come from our own dice. `gym:CartPole-v1` makes Gymnasium's own.

* **Seat** one. **Score** the sum of rewards of the game.
* **Actions** `Discrete(2)` push left, right (CartPole); `Discrete(3)` torque or throttle -1, 0, +1 (Acrobot,
  MountainCar); `Box` of one number (Pendulum, MountainCarContinuous). A number beyond the box counts as its bound.
* **End** terminated where Gymnasium terminates, truncated after `max_steps`.
* **Options** see `envs.classic_control.options`.

The same with components of the observation hidden: `envs.incomplete`.
"""
