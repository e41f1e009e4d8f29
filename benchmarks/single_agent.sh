#!/usr/bin/env bash
# Train an algorithm in a game with its tuned settings on three seeds, and let the policy it ended with and the best of
# its evaluations (`champion`) play 100 new games each (EPISODES=1000 for more):
#   benchmarks/single_agent.sh FOLDER "ppo CartPole-v1" "sac Pendulum-v1" ...      one thread; SEEDS="3 4" for others
set -euo pipefail
export OMP_NUM_THREADS=1
folder=$1
shift
mkdir -p "$folder"
for pair in "$@"; do
  read -r algorithm env more <<<"$pair"
  for seed in ${SEEDS:-0 1 2}; do
    run="$folder/$algorithm-$env-$seed"
    # shellcheck disable=SC2086 # further words of a pair are options of `arena train`
    trained=$(arena train "$algorithm" "$env" --seed "$seed" --out "$run" --json $more 2>"$run.log" || true)
    [ -n "$trained" ] || { echo "$pair, seed $seed: $(tail -n 1 "$run.log")"; continue; }
    last=$(python -c 'import json, sys; print(json.loads(sys.argv[1])["last"]["snapshot"])' "$trained")
    final=$(arena eval "$run@$last" --episodes "${EPISODES:-100}" --seed 100 --json)
    best=$(arena eval "$run@champion" --episodes "${EPISODES:-100}" --seed 100 --json)
    python - "$pair" "$seed" "$trained" "$final" "$best" <<'PYTHON'
import json
import sys

pair, seed, *texts = sys.argv[1:]
trained, final, best = map(json.loads, texts)
print(
    f"{pair} | seed {seed} | final {final['score_mean']:.1f} | champion {best['score_mean']:.1f} | "
    f"{trained['steps']:,} steps | {trained['training_seconds']:.1f} s",
    flush=True,
)
PYTHON
  done
done
