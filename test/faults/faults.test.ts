/**
 * The list of deliberate faults fits the sources: each can be applied. Whether a test catches it, `npm run faults` says.
 */
import { assert, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { faults } from "./faults.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

it("each fault has a name of its own, and its text is in its file exactly once", () => {
  const texts = new Map<string, string>()
  const wrong = faults.filter(({ file, from, to }) => {
    const path = Path.join(root, file)
    if (!texts.has(file)) texts.set(file, existsSync(path) ? readFileSync(path, "utf8") : "")
    return from === to || texts.get(file)!.split(from).length !== 2
  })
  assert.deepStrictEqual(wrong.map(({ file, name }) => `${name}: ${file}`), [])
  assert.strictEqual(new Set(faults.map(({ name }) => name)).size, faults.length)
})
