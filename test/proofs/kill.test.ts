/**
 * Real processes, killed with SIGKILL in the midst of twenty sagas, again and again; the last one is let live. Then the
 * ledger, which the activities wrote outside of the database, is held against the histories: nothing is lost, nothing is
 * recorded twice, all have ended, and nothing waits for what will not come (I2, I3, I5, I9).
 *
 * When a process dies is drawn from the seed, as a number of lines that the ledger has grown by.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Liveness } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import * as Audit from "../../src/testing/durable/Audit.js"
import * as Folder from "../persistence/Folder.js"
import * as Orders from "./Orders.js"
import * as Playing from "./Playing.js"
import { quietly, seed, testMillis } from "./Runs.js"

describe("a process that is killed in the midst of its work", () => {
  it.live(
    `leaves nothing lost and nothing twice (I2, I3, I5, I9), seed ${seed()}`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const folder = yield* Folder.make
        const database = folder.file("orders.db")
        const ledger = folder.file("ledger")
        const store = SqliteStore.layer({ filename: database })
        const moments = FastCheck.sample(FastCheck.integer({ min: 1, max: 20 }), { numRuns: kills, seed: seed() })
        let next = yield* ready(database, ledger)
        for (const lines of moments) {
          const child = next
          next = yield* ready(database, ledger)
          assert.strictEqual(yield* live(child, ledger, Orders.read(ledger).length + lines), "SIGKILL")
          assert.deepStrictEqual(yield* Effect.provide(Liveness.check, store), [])
        }
        assert.strictEqual(yield* live(next, ledger, Infinity), 0)
        yield* Effect.provide(audit(ledger), store)
      })).pipe(quietly),
    testMillis
  )
})

/** How many processes are killed before one is let live. */
const kills = 5

/** A process that has loaded its code, and waits to be let live. */
const ready = (database: string, ledger: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        process.execPath,
        ["--import", "tsx", fileURLToPath(new URL("./killed.ts", import.meta.url)), database, ledger],
        { stdio: ["pipe", "ignore", "inherit"] }
      )
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Lets the process live until the ledger has so many lines, and kills it then; what it ended with. */
const live = (child: ChildProcess, ledger: string, lines: number): Effect.Effect<number | string | null> =>
  Effect.async((resume) => {
    const watch = setInterval(() => {
      if (Orders.read(ledger).length >= lines) child.kill("SIGKILL")
    }, 1)
    child.once("exit", (code, signal) => {
      clearInterval(watch)
      resume(Effect.succeed(signal ?? code))
    })
    child.stdin?.write("\n")
    return Effect.sync(() => clearInterval(watch))
  })

const audit = (ledger: string) =>
  Effect.gen(function*() {
    const store = yield* Store
    assert.deepStrictEqual(yield* Liveness.check, [])
    const runs = yield* store.runs({ limit: 1_000 })
    assert.sameMembers(runs.map((run) => run.workflowId), orders.map(Orders.workflowId))
    const lines = Orders.read(ledger).filter(({ key }) => key !== "")
    const attempts = lines.map(({ attempt, key }) => `attempt ${attempt} of ${key}`)
    assert.deepStrictEqual(attempts.filter((each, at) => attempts.indexOf(each) !== at), [], "an attempt ran twice")
    const known = new Set<string>()
    for (const run of runs) {
      const order = orders.find((each) => Orders.workflowId(each) === run.workflowId)!
      assert.strictEqual(run.status, Orders.isRefused(order) ? "Failed" : "Completed")
      const turns = yield* Playing.turnsOf(store, run.runId)
      assert.deepStrictEqual(Audit.history(turns), [])
      const { activities, scheduled } = Audit.outcomes(run.runId, turns)
      for (const key of scheduled) known.add(key)
      const done = new Map<string, string>()
      for (const [key, attempt] of activities) {
        const written = lines.filter((line) => line.key === key)
        // The refused shipping writes nothing; all else is there, by the attempt whose outcome is recorded.
        const what = written[0]?.what
        if (what !== undefined) done.set(what, key)
        assert.isAtMost(
          Math.max(0, ...written.map((line) => line.attempt)),
          attempt,
          `${key} ran after its outcome (I9)`
        )
        if (what !== undefined) assert.include(written.map((line) => line.attempt), attempt, `${key} is lost`)
      }
      const expected = Orders.isRefused(order)
        ? ["reserve", "charge", "pack", "refund", "release"]
        : ["reserve", "charge", "pack", "ship"]
      assert.sameMembers([...done.keys()], expected)
      const approvals = turns.flatMap((turn) => turn.events.filter((event) => event._tag === "SignalReceived"))
      assert.isAtLeast(approvals.length, 1)
    }
    assert.deepStrictEqual(lines.filter(({ key }) => !known.has(key)), [], "ran, and no history knows of it (I2)")
  })

const orders = Array.from({ length: Orders.ordersMax }, (_, order) => order)
