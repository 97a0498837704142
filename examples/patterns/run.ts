/**
 * Plays one of the patterns on an engine whose time skips, and draws what happened: `npm run example -- saga`
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as fs from "node:fs"
import type { Client } from "perdure"
import { TestEnvironment } from "perdure/testing"

interface Pattern {
  readonly hosts: ReadonlyArray<Layer.Layer<never>>
  readonly play: Effect.Effect<unknown, unknown, Client>
}

const names = fs.readdirSync(new URL(".", import.meta.url))
  .map((file) => file.replace(/\.ts$/, ""))
  .filter((name) => name !== "run")
const [name] = process.argv.slice(2)

if (name === undefined || !names.includes(name)) {
  console.error(`npm run example -- NAME, one of: ${names.join(", ")}`)
  process.exitCode = 2
} else {
  const { hosts, play } = await import(`./${name}.ts`) as Pattern
  const playing = Effect.gen(function*() {
    const result = yield* play
    console.log(yield* (yield* TestEnvironment).timelines)
    console.log("\nresult:", result)
  })
  await Effect.runPromise(Effect.provide(playing, TestEnvironment.layer({ hosts })))
}
