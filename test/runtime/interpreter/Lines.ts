/** Reads the line that an error names: a test asserts on its words, not on its number. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"

export const lineOf = (place: string | undefined, file: string): string => {
  const found = /^(.*):(\d+):\d+$/.exec(place ?? "")
  assert.isNotNull(found, `no place: ${place}`)
  const [, path = "", line] = found!
  assert.isTrue(path.endsWith(`/${file}`), `another file: ${place}`)
  return readFileSync(path, "utf8").split("\n")[Number(line) - 1] ?? ""
}
