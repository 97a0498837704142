/**
 * The processes of the demo: the services, which live through it, and the workers, which do not.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import { chance } from "./chance.js"
import * as Child from "./child.js"
import type { Progress } from "./customers.js"
import type { ServiceName } from "./services/rules.js"
import type { Kill } from "./timeline.js"

/** Worker processes at a time. */
const workerCount = 2

/** Kills, by the share of orders that have come in when they strike. One of them takes all workers at once. */
const killShares = [0.12, 0.3, 0.48, 0.66, 0.84]
const massacre = 3

export const startService = (name: ServiceName, seed: number, folder: string) =>
  Effect.map(
    Child.spawn("services/main.ts", {
      settings: { service: name, seed, ledger: join(folder, `${name}.db`) },
      greeting: Schema.Struct({ url: Schema.String }),
      log: join(folder, `${name}.log`)
    }),
    (child) => ({ name, url: child.greeting.url, child })
  )

interface Member {
  readonly name: string
  readonly child: Child.Child<unknown>
  readonly log: string
}

/** The workers: a fixed number of them, whatever happens to any. */
export const startFleet = (folder: string, urls: object, kills: Array<Kill>, crashes: Array<string>) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const members = yield* Ref.make<ReadonlyArray<Member>>([])
    const dismiss = (name: string) =>
      Ref.modify(members, (all) => [
        all.some((member) => member.name === name),
        all.filter((member) => member.name !== name)
      ])
    let hired = 0
    let over = false

    const hire: Effect.Effect<
      void,
      Child.NotReady | PlatformError,
      CommandExecutor | FileSystem.FileSystem
    > = Effect.gen(function*() {
      const name = `worker-${++hired}`
      const log = join(folder, `${name}.log`)
      const child = yield* Child.spawn("worker.ts", {
        settings: { worker: name, database: join(folder, "orders.db"), urls },
        greeting: Schema.Struct({ worker: Schema.String }),
        log
      })
      yield* Ref.update(members, (all) => [...all, { name, child, log }])
      // Who ends without having been killed or let go has crashed, and that is a finding.
      yield* Effect.zipRight(child.exited, dismiss(name)).pipe(
        Effect.flatMap((crashed) => crashed && !over ? Effect.zipRight(crash(log), replace) : Effect.void),
        Effect.forkIn(scope)
      )
    }).pipe(Effect.provideService(Scope.Scope, scope))

    const crash = (log: string) =>
      Effect.sync(() => {
        if (!over) crashes.push(`a worker ended by itself: see ${log}`)
      })

    const replace = Effect.suspend(() => hire).pipe(
      Effect.catchAll((error) => crash(error._tag === "NotReady" ? error.log : error.message)),
      Effect.forkIn(scope),
      Effect.asVoid
    )

    /** Kills a worker, and has another one start in its place. */
    const kill = ({ child, name }: Member) =>
      Effect.gen(function*() {
        yield* dismiss(name)
        kills.push({ at: Date.now(), worker: name, pid: child.pid })
        yield* child.kill
        yield* replace
      })

    yield* Effect.replicateEffect(hire, workerCount, { concurrency: "unbounded" })
    return {
      members: Ref.get(members),
      kill,
      release: Effect.suspend(() => {
        over = true
        return Effect.flatMap(
          Ref.get(members),
          (all) =>
            Effect.forEach(all, ({ child, log }) =>
              Effect.map(child.release, (ended) => {
                if (!ended) crashes.push(`a worker did not end when it was let go: see ${log}`)
              }), { concurrency: "unbounded", discard: true })
        )
      })
    }
  })

/** A kill that is going to happen, once so many orders have come in. */
export interface Plan {
  readonly orders: number
  readonly struck: Effect.Latch
}

/** When to kill, as the seed chooses. */
export const plan = (orders: number, seed: number): Effect.Effect<ReadonlyArray<Plan>> =>
  Effect.forEach(killShares, (share, index) =>
    Effect.map(Effect.makeLatch(), (struck) => ({
      orders: Math.ceil((share + 0.08 * chance(seed, "moment", index)) * orders),
      struck
    })))

/** No order comes in past a kill that is due: on a slow machine, too, the work is not over before all have struck. */
export const admission = (plans: ReadonlyArray<Plan>) => (index: number): Effect.Effect<void> =>
  Effect.forEach(plans, (plan) => plan.orders <= index ? plan.struck.await : Effect.void, { discard: true })

/** Strikes while the orders that came in last are in the middle of their lives. */
export const carryOut = (
  plans: ReadonlyArray<Plan>,
  fleet: Effect.Effect.Success<ReturnType<typeof startFleet>>,
  seed: number,
  progress: Progress
) => {
  const living = (enough: (count: number) => boolean) => Effect.map(fleet.members, (all) => enough(all.length))
  return Effect.forEach(plans, (plan, index) =>
    Effect.gen(function*() {
      yield* until(Effect.sync(() => progress.placed >= plan.orders))
      // The dead of the last time are replaced first; on a slow machine that may take too long to wait for all.
      yield* Effect.timeoutOption(until(living((count) => count === workerCount)), "5 seconds")
      yield* until(living((count) => count > 0))
      const members = yield* fleet.members
      const victim = Math.floor(chance(seed, "victim", index) * members.length)
      const victims = index === massacre ? members : members.slice(victim, victim + 1)
      yield* Effect.forEach(victims, fleet.kill, { concurrency: "unbounded", discard: true })
      yield* plan.struck.open
    }), { discard: true })
}

const until = (condition: Effect.Effect<boolean>) =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("20 millis") })
