#!/usr/bin/env bash
# The simulation at length: thousands of seeds, on two cores. The first ones are among the tests already.
#
# Usage: npm run simulate [-- SEEDS [FROM]]      default 1800 seeds, from 1001 on
set -u
cd "$(dirname "$0")/../.."

seeds=${1:-1800}
from=${2:-1001}
half=$(((seeds + 1) / 2))

# The report of a run in CI is that of the tests, and stays.
play() {
  CI='' PERDURE_SIM_FROM=$1 PERDURE_SIM_SEEDS=$2 npx vitest run --config test/vitest.config.ts --project unit \
    test/simulation/simulation.test.ts
}

play "$from" "$half" &
first=$!
play $((from + half)) $((seeds - half)) &
second=$!

status=0
wait "$first" || status=1
wait "$second" || status=1
[ "$status" -eq 0 ] && echo "simulated: seeds $from to $((from + seeds - 1))"
exit "$status"
