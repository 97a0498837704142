/**
 * A crash between any two operations of the store: before one, or after it and before its answer. The run ends as if
 * nothing had happened; what was acknowledged is there (I2); no body runs again once its outcome is committed (I9); the
 * history goes on where it was (I6); and at each moment something is there to wake the run (I3, I5).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { Liveness } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import type { Turn } from "../../src/core/Event.js"
import type { CrashPoint } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { Life } from "../../src/testing/CrashingStore.js"
import * as Audit from "../../src/testing/durable/Audit.js"
import { VirtualTime } from "../../src/testing/VirtualTime.js"
import * as Folder from "../persistence/Folder.js"
import * as Expected from "./Expected.js"
import * as Kin from "./Kin.js"
import * as Playing from "./Playing.js"
import type { Scenario } from "./Program.js"
import * as Programs from "./Program.js"
import { received } from "./Received.js"
import { forAll, testMillis } from "./Runs.js"

describe("a crash", () => {
  it.live(
    "at any operation of the store changes nothing that counts (I2, I3, I5, I6, I9)",
    () =>
      withFiles((files) =>
        forAll(FastCheck.tuple(scenario, Programs.deployment, FastCheck.infiniteStream(FastCheck.nat())), 9, ([
          scenario,
          deployment,
          draws
        ]) =>
          Effect.gen(function*() {
            const calm = yield* lives(files, scenario, deployment, [])
            const points = Life.distinctCrashPoints(calm[0]!.operations)
            for (const point of sample(points, pointsMax, draws)) {
              const lived = yield* lives(files, scenario, deployment, [point])
              assert.lengthOf(lived, 2, `nobody died at ${JSON.stringify(point)}`)
            }
          }))
      ),
    testMillis
  )

  it.live("of those who take over, again and again, changes nothing either", () =>
    withFiles((files) =>
      forAll(
        FastCheck.tuple(scenario, Programs.deployment, FastCheck.array(crashPoint, { minLength: 2, maxLength: 5 })),
        100,
        ([scenario, deployment, points]) => Effect.asVoid(lives(files, scenario, deployment, points))
      )
    ), testMillis)
})

const size: Programs.Size = { depth: 2, items: 2, messages: 2 }
const scenario = FastCheck.oneof(
  { arbitrary: Programs.scenario(size), weight: 2 },
  { arbitrary: Programs.scenario({ ...size, kin: true }), weight: 2 },
  { arbitrary: Programs.scenario({ ...size, kin: true, chains: true, patches: true }), weight: 2 },
  { arbitrary: Programs.canceledEarly({ ...size, kin: true, chains: true, patches: true }), weight: 1 }
)

describe("a process that is taken for dead, and is not,", () => {
  it.live(
    "changes nothing when it goes on: its epoch is over (I4, I6)",
    () =>
      withFiles((files) =>
        forAll(
          FastCheck.tuple(scenario, crashPoint, FastCheck.nat(40)),
          60,
          ([scenario, point, later]) =>
            Effect.scoped(Effect.gen(function*() {
              const time = new VirtualTime()
              const account = new Playing.Account()
              const store = yield* open(yield* files.fresh)
              const sleepy = new Life(1, time, { ...point, freezes: true })
              // What it sees later is its own: it may even begin the scenario anew, once the first run is closed.
              const first = yield* liveOnce(sleepy, scenario, new Playing.Account(), store)
              if (first !== "frozen") {
                return
              }
              for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
              // It wakes up when the other one has come so far.
              const heir = new Life(2, time, undefined, () =>
                Effect.sync(() => {
                  if (heir.operations.length > later) sleepy.thaw()
                }))
              const ended = yield* liveOnce(heir, scenario, account, store)
              if (typeof ended === "string") return yield* Effect.die("nobody killed it")
              assert.deepStrictEqual(ended, Expected.given(scenario, ended))
              sleepy.thaw()
              yield* time.rest
              const all = yield* Kin.everything(store)
              for (const { run, turns } of all) assert.deepStrictEqual(historyOf(turns), [], run.runId)
              assert.deepStrictEqual(Kin.findings(all, Kin.byTime(all)), [])
              assert.deepStrictEqual(yield* Effect.provideService(Liveness.check, Store, store), [])
              for (const { run, turns } of all) {
                assert.strictEqual(run.turn, turns.length)
                // The other one may have begun the scenario anew, which nobody waits for.
                if (run.firstRunId === account.runId) assert.notStrictEqual(run.status, "Running")
              }
            }))
        )
      ),
    testMillis
  )
})

/** At most so many points of one program. */
const pointsMax = 40

const crashPoint: FastCheck.Arbitrary<CrashPoint> = FastCheck.record({
  operation: FastCheck.integer({ min: 1, max: 60 }),
  when: FastCheck.constantFrom("before", "after")
})

const sample = <A>(all: ReadonlyArray<A>, max: number, draws: Iterable<number>): ReadonlyArray<A> => {
  if (all.length <= max) return all
  const left = [...all]
  const iterator = draws[Symbol.iterator]()
  return Array.from({ length: max }, () => left.splice(Number(iterator.next().value) % left.length, 1)[0]!)
}

/**
 * Plays a scenario in one life after another, each but the last dying at its point, and audits what each left. Those who
 * take over have the code that was deployed then.
 */
const lives = (files: Files, scenario: Scenario, code: Programs.Deployment, points: ReadonlyArray<CrashPoint>) =>
  Effect.scoped(Effect.gen(function*() {
    const time = new VirtualTime()
    const account = new Playing.Account()
    const filename = yield* files.fresh
    const lived: Array<Life> = []
    let before: Histories = new Map()
    for (let number = 1;; number++) {
      const life = new Life(number, time, points[number - 1])
      lived.push(life)
      const store = yield* open(filename)
      before = yield* Effect.provideService(inspect(account, before, number), Store, store)
      // Whoever comes finds the dead one's lease lapsed.
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
      const version = number === 1 ? code.first : code.next
      const ended = yield* liveOnce(life, scenario, account, store, { version })
      if (typeof ended === "string") continue
      assert.deepStrictEqual(ended, Expected.given(scenario, ended))
      yield* Effect.provideService(atTheEnd(account, scenario, before, number), Store, store)
      return lived
    }
  })).pipe(
    Effect.mapError((error) => new Error(`${String(error)}; killed at ${JSON.stringify(points)}`, { cause: error }))
  )

const liveOnce = (
  life: Life,
  scenario: Scenario,
  account: Playing.Account,
  store: Store["Type"],
  settings: Playing.Settings = {}
) =>
  Effect.gen(function*() {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
    const whole = Effect.tap(
      Effect.provideService(Playing.play(life, scenario, account, settings), Scope.Scope, scope),
      () => Scope.close(scope, Exit.void)
    )
    // A daemon: nothing but its store ends it.
    const fiber = yield* Effect.forkDaemon(Effect.provideService(whole, Store, store))
    const ended = yield* Playing.drive(fiber, life, Playing.horizon(scenario))
    return typeof ended === "string" ? ended : yield* ended
  })

/** By run. */
type Histories = ReadonlyMap<string, ReadonlyArray<Turn>>

/** What must hold of the store as a life left it. */
const inspect = (account: Playing.Account, before: Histories, life: number) =>
  Effect.gen(function*() {
    const store = yield* Store
    assert.deepStrictEqual(yield* Liveness.check, [], "something is left that nothing will wake (I5)")
    const all = yield* Kin.everything(store)
    const histories: Histories = new Map(all.map(({ run, turns }) => [run.runId, turns]))
    const known = { scheduled: new Set<string>(), settled: new Set<string>() }
    for (const [runId, turns] of histories) {
      assert.deepStrictEqual(historyOf(turns), [])
      assert.deepStrictEqual(Audit.append(before.get(runId) ?? [], turns), [])
      const { activities, scheduled, steps } = Audit.outcomes(runId, turns)
      // Steps are told apart by their runs.
      for (const key of scheduled) known.scheduled.add(key).add(`${runId} ${key}`)
      for (const key of activities.keys()) account.settled.add(key)
      for (const name of steps) account.settled.add(`${runId} ${name}`)
    }
    // What ran, its command was committed before (I2).
    const ran = [...account.attempts.map(({ key }) => key), ...account.steps.map(({ name }) => name)]
    assert.deepStrictEqual(
      ran.filter((key) => !known.scheduled.has(key)),
      [],
      "ran before its command was committed (I2)"
    )
    const { runId } = account
    if (runId === undefined) return histories
    const turns = Kin.chainOf(all, runId)
    const { signals, updates } = received(turns)
    // What waits unseen moves with the chain: it may be in the mailbox of a run that is still to begin.
    for (const { run } of all) {
      if (run.firstRunId !== runId) continue
      for (const mail of yield* store.mail(run.runId, 0)) {
        const body = JSON.parse(mail.body) as { readonly id?: string; readonly input?: { readonly key: number } }
        if (mail.kind === "Signal") signals.set(body.input!.key, (signals.get(body.input!.key) ?? 0) + 1)
        if (mail.kind === "Update") updates.set(body.id!, (updates.get(body.id!) ?? 0) + 1)
      }
    }
    for (const key of account.acknowledged) {
      const there = signals.get(key) ?? updates.get(Playing.updateId(key)) ?? 0
      assert.isAtLeast(there, 1, `message ${key} was acknowledged before life ${life}, and is lost (I2)`)
    }
    return histories
  })

/** Ended by its parent before its first turn, it has no start. */
const historyOf = (turns: ReadonlyArray<Turn>): ReadonlyArray<string> => turns.length === 0 ? [] : Audit.history(turns)

const atTheEnd = (account: Playing.Account, scenario: Scenario, before: Histories, life: number) =>
  Effect.gen(function*() {
    yield* inspect(account, before, life + 1)
    const all = yield* Effect.flatMap(Store, Kin.everything)
    assert.deepStrictEqual(Kin.findings(all, Kin.byTime(all)), [])
    const { signals, updates } = received(Kin.chainOf(all, account.runId!))
    scenario.messages.forEach((message, key) => {
      const sends = account.sends.get(key) ?? 0
      const count = (message.kind === "signal" ? signals.get(key) : updates.get(Playing.updateId(key))) ?? 0
      if (message.ends === "rejected") assert.strictEqual(count, 0, `rejected update ${key} left an event`)
      // One run knows an update again, the next one of its chain does not (U7); Audit looks into each.
      else if (message.kind === "update") assert.isAtMost(count, sends, `update ${key} is there more often than sent`)
      // A signal that nobody heard to be recorded was sent again: it may be there for each time.
      else assert.isAtMost(count, sends, `signal ${key} is there more often than it was sent`)
      const answer = account.answers.get(key)
      if (message.kind === "update" && answer !== undefined && Expected.outlivesMessages(scenario)) {
        assert.deepStrictEqual(answer, Expected.answerOf(scenario, key))
      }
    })
    const once = account.attempts.map(({ attempt, key }) => `attempt ${attempt} of ${key}`)
    assert.deepStrictEqual(once.filter((each, index) => once.indexOf(each) !== index), [], "an attempt ran twice")
    assert.deepStrictEqual(account.reruns, [], "ran again after its outcome was committed (I9)")
  })

// -----------------------------------------------------------------------------
// files
// -----------------------------------------------------------------------------

interface Files {
  /** A database file that holds nothing yet. */
  readonly fresh: Effect.Effect<string>
}

/** Copies of one empty database: making its tables takes longer than most programs. */
const withFiles = <E>(use: (files: Files) => Effect.Effect<void, E>): Effect.Effect<void, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* Folder.make
    const empty = folder.file("empty.db")
    yield* Effect.scoped(open(empty))
    let count = 0
    yield* use({
      fresh: Effect.sync(() => {
        const name = folder.file(`${++count}.db`)
        fs.copyFileSync(empty, name)
        return name
      })
    })
  }))

const open = (filename: string) =>
  Effect.map(
    Layer.build(SqliteStore.layer({ filename, durability: "process-crash" })),
    (context) => context.unsafeMap.get(Store.key) as Store["Type"]
  )
