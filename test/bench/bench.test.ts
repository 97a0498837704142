/**
 * The bench still runs, and its JSON lines have the shape that docs/benchmarks.md promises. Nothing is said of speed.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Options from "../../bench/Options.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const bench = (...args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", "tsx", "bench/main.ts", ...args],
      { cwd: root },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : 1, stdout, stderr })
      }
    )
  })

describe("bench", () => {
  it("prints one JSON object for a scenario", async () => {
    const { code, stderr, stdout } = await bench("--scenario", "signals", "--runs", "1", "--json")
    assert.strictEqual(code, 0, stderr)
    const lines = stdout.trimEnd().split("\n")
    assert.strictEqual(lines.length, 1, stdout)
    const { metrics, ...rest } = JSON.parse(lines[0]!) as { readonly metrics: Record<string, unknown> }
    assert.deepStrictEqual(rest, { scenario: "signals", store: "sqlite", durability: "power-loss" } as object)
    assert.deepStrictEqual(Object.keys(metrics), ["signals_per_s"])
    assert.isAbove(metrics["signals_per_s"] as number, 0)
  }, 120_000)

  it.effect("refuses what it does not know", () =>
    Effect.gen(function*() {
      const refusal = (...args: ReadonlyArray<string>) =>
        Effect.map(Effect.flip(Options.read(args, ["throughput", "limit"])), (error) => error.message)
      assert.strictEqual(yield* refusal("--store", "postgres"), "--store postgres: there is sqlite")
      assert.strictEqual(yield* refusal("--scenario", "speed"), "--scenario speed: there is throughput, limit")
      assert.strictEqual(
        yield* refusal("--durability", "none"),
        "--durability none: there is power-loss, process-crash"
      )
      assert.strictEqual(yield* refusal("--runs", "0"), "--runs 0: a whole number from 1")
      assert.match(yield* refusal("--fast"), /Unknown option '--fast'/)
    }))
})
