/**
 * Replay of any prefix of a history asks for the same commands, in the same order, with the same inputs (I6): whatever
 * else the process has done before, and whatever goes on beside it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { Liveness } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import * as Commands from "../../src/core/Command.js"
import type { Event, Turn } from "../../src/core/Event.js"
import * as Execution from "../../src/core/family/Execution.js"
import * as Replay from "../../src/core/Replay.js"
import * as RunStates from "../../src/core/RunState.js"
import { Life } from "../../src/testing/CrashingStore.js"
import * as Audit from "../../src/testing/durable/Audit.js"
import { VirtualTime } from "../../src/testing/VirtualTime.js"
import * as Expected from "./Expected.js"
import type { World } from "./Generated.js"
import { hosts } from "./Generated.js"
import * as Kin from "./Kin.js"
import * as Playing from "./Playing.js"
import type { Scenario } from "./Program.js"
import * as Programs from "./Program.js"
import * as Replays from "./Replays.js"
import { forAll, testMillis } from "./Runs.js"

describe("replay", () => {
  it.live(
    "of what other code recorded goes on as that was, wherever the matrix allows it (V1, V2, V3)",
    () =>
      forAll(
        FastCheck.tuple(changing, Programs.deployment),
        20,
        ([scenario, { first, next }]) =>
          Effect.gen(function*() {
            for (const { run: { runId }, turns } of yield* recorded(scenario, first)) {
              const run = Replays.nameOf(runId, turns)
              for (let length = 0; length <= turns.length; length++) {
                const body = Replays.make(hostOf(next), run)
                body.take(turns.slice(0, length))
                body.interpreter.evict()
              }
            }
          })
      ),
    testMillis
  )

  it.live(
    "of any prefix gives the same commands (I1, I6), and the end is the expected one",
    () =>
      forAll(scenario, 100, (scenario) =>
        Effect.gen(function*() {
          for (const { run: { runId }, turns } of yield* recorded(scenario)) {
            const run = Replays.nameOf(runId, turns)
            for (let length = 0; length <= turns.length; length++) {
              const prefix = turns.slice(0, length)
              Replays.make(host, run).take(prefix)
              // Once more in a process that has done other things: as many fibers and random numbers as you like.
              yield* others(length)
              const again = Replays.make(host, run)
              again.take(prefix)
              assert.deepStrictEqual(again.state, RunStates.fold(runId, prefix))
              const next = turns[length]
              if (next !== undefined) assert.strictEqual(live(again, next), undefined)
              again.interpreter.evict()
            }
          }
        })),
    testMillis
  )

  it.live(
    "of two runs, turn by turn beside each other, mixes nothing up",
    () =>
      forAll(scenario, 30, (scenario) =>
        Effect.gen(function*() {
          for (const { run: { runId }, turns } of yield* recorded(scenario)) {
            const run = Replays.nameOf(runId, turns)
            const bodies = [Replays.make(host, run), Replays.make(host, run), Replays.make(host, run)]
            // The second is one turn behind the first, the third two.
            for (let turn = 0; turn < turns.length + 2; turn++) {
              bodies.forEach((body, behind) => {
                const next = turns[turn - behind]
                if (next !== undefined) body.take([next])
              })
            }
            for (const { interpreter, state } of bodies) {
              assert.deepStrictEqual(state, RunStates.fold(runId, turns))
              interpreter.evict()
            }
          }
        })),
    testMillis
  )
})

const size: Programs.Size = { depth: 3, items: 4, messages: 4 }
const scenario = FastCheck.oneof(
  { arbitrary: Programs.scenario(size), weight: 3 },
  { arbitrary: Programs.scenario({ ...size, depth: 2, kin: true }), weight: 2 },
  { arbitrary: Programs.scenario({ ...size, depth: 2, kin: true, chains: true, patches: true }), weight: 2 },
  { arbitrary: Programs.canceledEarly({ ...size, depth: 2, kin: true, chains: true, patches: true }), weight: 1 }
)

const changing = Programs.scenario({ ...size, depth: 2, kin: true, chains: true, patches: true })

/** Plays a scenario without any trouble, and gives the histories of all its runs. */
const recorded = (scenario: Scenario, version?: Programs.Version) =>
  Effect.gen(function*() {
    const store = yield* Store
    const life = new Life(1, new VirtualTime())
    const account = new Playing.Account()
    const fiber = yield* Effect.fork(
      Effect.scoped(Playing.play(life, scenario, account, version === undefined ? {} : { version }))
    )
    const ended = yield* Playing.drive(fiber, life, Playing.horizon(scenario))
    if (typeof ended === "string") return yield* Effect.die("nobody killed it")
    const outcome = yield* ended
    assert.deepStrictEqual(outcome, Expected.given(scenario, outcome))
    const all = yield* Kin.everything(store)
    assert.deepStrictEqual(Kin.findings(all, Kin.byTime(all)), [])
    assert.deepStrictEqual(yield* Liveness.check, [])
    // One that was ended before its first turn has nothing to replay.
    const begun = all.filter(({ turns }) => turns[0] !== undefined && !Execution.isImposed(turns[0].events))
    for (const { turns } of begun) assert.deepStrictEqual(Audit.history(turns), [])
    return begun
  }).pipe(Effect.provide(SqliteStore.layer({ filename: ":memory:" })))

/** The next turn, taken as if it had not been recorded; the difference, if there is any. */
const live = ({ interpreter, state }: Replays.Replayed, turn: Turn): string | undefined => {
  const { commands } = interpreter.turn({
    at: turn.at,
    events: turn.events.filter(Replay.isMessageEvent),
    replaying: false,
    past: state
  })
  const before = turn.events.filter((event) => !Replay.isMessageEvent(event)).map(asDecided)
  const now = commands.map((command) => Commands.decide(command, turn.at, state))
  return JSON.stringify(before) === JSON.stringify(now) ? undefined : `${JSON.stringify(before)} ${JSON.stringify(now)}`
}

/** Which run follows an end is not for the body to say. */
const asDecided = (event: Event): Event => {
  if (event._tag !== "ExecutionContinuedAsNew" && event._tag !== "ExecutionFailed") return event
  const { newRunId: _next, ...rest } = event
  if (rest._tag === "ExecutionContinuedAsNew") return rest
  const { retryState: _why, ...failed } = rest
  return failed
}

const others = (count: number) =>
  Effect.forEach(Array.from({ length: count % 5 }), () => Effect.fork(Effect.yieldNow()), { discard: true })

const world: World = {
  work: () => Effect.die("a replay runs no activity"),
  step: () => Effect.die("a replay performs no step")
}
const hostOf = (version?: Programs.Version) => Replays.hostOf(hosts(world, version)[0])
const host = hostOf()
