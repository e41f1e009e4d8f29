"""Board games of two in which a line wins: connect four and tic-tac-toe, batched and compiled.

* **Ids** `ConnectFour-v0`: 6 rows, 7 columns, a piece falls to the lowest free cell of its column, four in a line win.
  `TicTacToe-v0`: 3 x 3, any free cell, three in a line. PettingZoo's connect_four_v3 and tictactoe_v3, move for move.
* **Seats** 0 moves first, then in turns. Matches swap seats.
* **Actions** `Discrete(7)`, a column from the left; `Discrete(9)`, a cell, counted down the columns as PettingZoo
  does. The seat that waits has only action 0; what it sends is not looked at. A full column or a taken cell raises
  `InputError`; PettingZoo ends the game there instead.
* **Observation** float32 [2 x cells], each 0 or 1, as PettingZoo's planes one cell after the other: own piece, the
  other's piece. Flat, because on boards this small a dense layer over all cells sees every line at once, and costs
  less than a convolution; two numbers per cell, because with one of -1, 0, 1 a first layer cannot tell "empty" from
  the middle between the two.
* **Reward** at the end 1 for the winner, -1 for the loser, 0 for a full board without a line. Score: the same.
* **End** terminated after at most as many steps as there are cells, never truncated. Nothing is random.
* **Options** none.
* **Versions** v0.
"""
