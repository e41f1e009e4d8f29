// Tic-tac-toe in JavaScript: win if you can, else keep the other from winning, else move at random.
//
//   arena match "cmd:node one_ply.js" random --env TicTacToe-v0 --games 20
//
// Needs nothing but node. See README.md for the protocol.
"use strict";

const LINES = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]];
let random = Math.random;

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

// Numbers from 0 to 1 that follow from a seed (mulberry32), so that a match comes out the same twice.
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

// The legal cells that complete a line of which all other cells have `own` set. Each cell is two numbers of the
// observation: ours, theirs.
function completing(obs, legal, own) {
  const has = (cell) => obs[2 * cell + own] === 1;
  return legal.filter((cell) =>
    LINES.some((line) => line.includes(cell) && line.every((other) => other === cell || has(other))));
}

function decide({ obs, legal }) {
  const wins = completing(obs, legal, 0);
  const saves = completing(obs, legal, 1);
  const good = wins.length ? wins : saves.length ? saves : legal;
  return good[Math.floor(random() * good.length)];
}

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  switch (message.type) {
    case "hello":
      if (message.game.id === "TicTacToe-v0") say({ type: "hello", protocol: 1 });
      else say({ error: `plays TicTacToe-v0, not ${message.game.id}` });
      break;
    case "game":
      random = seeded(message.seed);
      break;
    case "act":
      say({ action: decide(message) });
      break;
    case "bye":
      process.exit();
  }
});
