/**
 * Real processes, killed with SIGKILL at random moments while transactional activities write to a table of the user's own.
 * Then rows and recorded outcomes are counted: the same, at every moment, not one more and not one less (I9).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { Liveness } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import * as Folder from "../persistence/Folder.js"
import * as Deposits from "./Deposits.js"
import { live } from "./Killing.js"
import * as Playing from "./Playing.js"
import { quietly, seed, testMillis } from "./Runs.js"

describe("a process that is killed while its activities write", () => {
  it.live(
    `leaves as many rows as outcomes, each once (I9), seed ${seed()}`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const folder = yield* Folder.make
        const database = folder.file("deposits.db")
        const store = SqliteStore.layer({ filename: database })
        const moments = FastCheck.sample(FastCheck.integer({ min: 30, max: 400 }), { numRuns: kills, seed: seed() })
        const progress: Array<number> = []
        for (const millis of moments) {
          assert.strictEqual(yield* live("./run-deposits.ts", database, millis), "SIGKILL")
          progress.push((yield* Effect.provide(Effect.zipRight(Deposits.table, audit), store)).length)
        }
        // Killed in the midst of it: with some written, and some not.
        assert.isTrue(progress.some((count) => count > 0 && count < Deposits.accountsMax * Deposits.depositsEach))
        assert.strictEqual(yield* live("./run-deposits.ts", database, undefined), 0)
        const all = Array.from(
          { length: Deposits.accountsMax },
          (_, account) => Array.from({ length: Deposits.depositsEach }, (_, n) => `${account}/${n}`)
        ).flat()
        const written = yield* Effect.provide(audit, store)
        assert.sameMembers([...written], all)
        assert.strictEqual(written.length, all.length)
      })).pipe(quietly),
    testMillis
  )
})

/** How many processes are killed before one is let live. */
const kills = 4

/** Each row has its outcome, in the history or on its way in the mailbox, and each outcome its row. */
const audit = Effect.gen(function*() {
  const store = yield* Store
  const written = yield* Deposits.rows
  assert.deepStrictEqual(written.filter((row, at) => written.indexOf(row) !== at), [], "a row was written twice")
  const recorded: Array<string> = []
  for (const run of yield* store.runs({ limit: 1_000 })) {
    const account = run.workflowId.slice("account ".length)
    const done = new Set<number>()
    for (const { events } of yield* Playing.turnsOf(store, run.runId)) {
      for (const event of events) if (event._tag === "ActivityCompleted") done.add(event.seq)
    }
    for (const { body, kind } of yield* store.mail(run.runId, 0)) {
      if (kind === "ActivityOutcome") done.add((JSON.parse(body) as { outcome: { seq: number } }).outcome.seq)
    }
    // Activities are numbered from 1, and deposits from 0.
    for (const seq of done) recorded.push(`${account}/${seq - 1}`)
  }
  assert.deepStrictEqual([...written].sort(), recorded.sort())
  assert.deepStrictEqual(yield* Liveness.check, [])
  return written
})
