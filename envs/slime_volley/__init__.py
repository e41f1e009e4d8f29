"""Slime volleyball: two slimes (or four), a ball, a fence. The rules of SlimeVolleyGym (David Ha, 2020), written anew.

The ball is served from above the middle with a random velocity, after hanging there for a second. A side on
whose ground it falls loses a life; slimes stay where they are and the next ball is served. A step is 1/30 s.

* **Ids** `SlimeVolley-v0`: 5 lives, at most 3,000 steps, +1 for a point won, -1 for one lost.
  `SlimeVolleySimple-v0`: ends at the first point, +-10 for it, -0.01 at every step, at most 750 steps.
  `SlimeVolleyDoubles-v0`: two against two, the same court, rules and options.
* **Seats** 0 plays left, 1 right. All see the world as if they played on the right. Doubles: left front, left back,
  right front, right back; teams (0, 0, 1, 1). All may go anywhere on their side; front starts 7 units from the fence,
  back 17, in a duel it is 12.
* **Actions** `Discrete(6)`: noop, forward, forward+jump, jump, backward+jump, backward; forward is towards
  the fence. `actions="multibinary"`: the buttons forward, backward, jump. `actions="box"`: three floats that
  press a button above 0.
* **Observation** [12]: own x, y, vx, vy; the ball's; the opponent's; in tens of game units (and of units/s).
  x is the distance from the fence: of a player on its own side, of the ball on one's own (else negative).
  At the step of a point the view before it is shown once more, as in the original.
  Doubles [21]: own, the ball's, the mate's, the opponents', front first, and 0 for the front seat, 1 for the back one:
  without it, mates of one policy that meet in one spot would stay together for good.
* **Contact** the ball bounces off everybody, mates in turn, front first; slimes pass through each other. The rules of
  2020 know of no contact between slimes, as a fence parts the only two; mates that block each other would need new
  physics, and could pin each other in a corner.
* **End** terminated when a side has no life left, truncated at the step limit. Score: points won minus lost.
* **Options** see `envs.slime_volley.options`; `fence="solid"` repairs the fence, through which a ball held
  low against it can be squeezed.
* **Versions** v0: physics, observations and actions of slimevolleygym 0.1.0, exact with `dtype="float64"`.

`envs.make(id, num_envs)` is the batch env, `envs.slime_volley_v0` the PettingZoo face, `gymnasium.make(id,
opponent="baseline")` the Gymnasium face.
"""

SEATS = ("left", "right")
"""Names of the seats, in their order."""
