#!/usr/bin/env bash
# Proves the package as its users get it: packs it (which builds it), installs the tarball with nothing but its own
# dependency list into an empty project, and there type-checks and runs the program in consumer/.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

version() { node --print "require('$root/node_modules/$1/package.json').version"; }

cp -R "$root/test/package/consumer/." "$project"
cd "$root"
npm pack --pack-destination "$project"

cd "$project"
npm install --prefer-offline --no-audit --no-fund ./perdure-*.tgz
# What the consumer itself brings; the package must not need it.
npm install --prefer-offline --no-audit --no-fund --save-dev "typescript@$(version typescript)" "@types/node@$(version @types/node)"

npx --no-install tsc --project .
node out/main.js
