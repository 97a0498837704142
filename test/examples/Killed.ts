/**
 * Plays a program of a client while the worker is killed and another one takes over, at one operation of its store after
 * the other. The client is a process of its own, and lives on.
 *
 *   client ──▶ store ◀── worker ╳ ── the next worker
 */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Client, StoreClient, Worker } from "perdure"
import { Store } from "perdure/sqlite"
import type { CrashPoint } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { Life } from "../../src/testing/CrashingStore.js"
import * as FreshStore from "../../src/testing/FreshStore.js"
import { VirtualTime } from "../../src/testing/VirtualTime.js"
import { quietly } from "../proofs/Runs.js"

export interface Play {
  readonly hosts: ReadonlyArray<Layer.Layer<never>>
  readonly play: Effect.Effect<unknown, unknown, Client>
}

/** A century: the next worker comes when it is told to. */
const leaseMillis = 36_500 * 86_400_000

/** What the program gives when nobody dies; fails where it gives anything else when the worker does. */
export const everywhere = (play: Play, pointsMax: number): Effect.Effect<unknown, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const fresh = yield* FreshStore.make
    const calm = yield* trial(fresh, play, undefined)
    const points = Life.crashPoints(calm.operations)
    const step = Math.max(1, points.length / pointsMax)
    let killed = 0
    for (let index = 0; index < points.length; index += step) {
      const point = points[Math.floor(index)]!
      const { died, result } = yield* trial(fresh, play, point)
      if (died) killed++
      assert.deepStrictEqual(result, calm.result, `the worker killed ${point.when} operation ${point.operation}`)
    }
    assert.isAbove(killed, 5)
    return calm.result
  })).pipe(quietly)

const trial = (fresh: FreshStore.FreshStore, { hosts, play }: Play, crash: CrashPoint | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* fresh
    const time = new VirtualTime()
    const own = new Life(0, time)
    const client = Context.get(yield* yield* begun(own, StoreClient.layer, store), Client)
    const first = new Life(1, time, crash)
    yield* Effect.forkDaemon(yield* begun(first, worker(hosts), store))
    const playing = yield* Effect.forkDaemon(
      Effect.withClock(Effect.provideService(Effect.exit(play), Client, client), own.clock.clock)
    )
    let replaced = false
    for (let tick = 0; tick < ticksMax; tick++) {
      yield* time.rest
      const exit = playing.unsafePoll()
      if (exit !== null) return { result: yield* Effect.flatten(exit), operations: first.operations, died: first.dead }
      if (first.dead && !replaced) {
        replaced = true
        for (const { id } of yield* store.workers) yield* store.renew(id, time.now - 1)
        yield* Effect.forkDaemon(yield* begun(new Life(2, time), worker(hosts), store))
      } else if (tick % idleTicks === idleTicks - 1) yield* skip(store, time)
      else time.tick()
    }
    return yield* Effect.dieMessage("the program does not come to its end")
  }))

const ticksMax = 5_000

/** Ticks after which it is worth asking whether nothing but polls goes on. */
const idleTicks = 50

/** Skips to shortly before the next wake-up of a run, where that is all that anybody waits for. */
const skip = (store: Store["Type"], time: VirtualTime) =>
  Effect.gen(function*() {
    const runs = yield* store.runs({ status: "Running", limit: 100 })
    for (const { runId } of runs) if ((yield* store.tasksOf(runId)).length > 0) return
    const next = Math.min(...runs.map(({ wakeAt }) => wakeAt ?? Infinity))
    if (!Number.isFinite(next) || next < time.now + 2 * marginMillis) return void time.tick()
    time.now = next - marginMillis
    time.pulse()
  })

const marginMillis = 5_000

const worker = (hosts: Play["hosts"]) =>
  Worker.layer({ hosts, lease: leaseMillis, shutdownGrace: 0 }) as Layer.Layer<Client, unknown, Store>

/** Begins a process: what it gives, once it is up. Its remains are buried when the trial is over. */
const begun = <A>(life: Life, layer: Layer.Layer<A, unknown, Store>, store: Store["Type"]) =>
  Effect.gen(function*() {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
    const over = layer.pipe(Layer.provide(CrashingStore.layer(life)), Layer.provide(Layer.succeed(Store, store)))
    return Effect.withClock(Layer.buildWithScope(over, scope), life.clock.clock)
  })
