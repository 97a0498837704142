/**
 * The whole engine in one process on virtual time: workers, clients, timers, store, in a world that a seed decides.
 *
 * ```
 *   plan ──▶ processes ─┐
 *        ──▶ callers ───┼──▶ [at rest? ──▶ next moment] ... ──▶ healed ──▶ all callers know ──▶ at rest ──▶ Oracle
 *        ──▶ incidents ─┘
 * ```
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Liveness } from "perdure"
import { Store } from "perdure/sqlite"
import type { HistoryRow } from "../../src/persistence/Store.js"
import { bury } from "../../src/testing/CrashingStore.js"
import type { FreshStore } from "../../src/testing/FreshStore.js"
import { beginning, VirtualTime } from "../../src/testing/VirtualTime.js"
import type { Version } from "../proofs/Program.js"
import type { Place } from "./Asking.js"
import * as Caller from "./Caller.js"
import { Dice } from "./Dice.js"
import type { Weather } from "./FaultyStore.js"
import type { Imposed } from "./Ledger.js"
import { Ledger } from "./Ledger.js"
import * as Oracle from "./Oracle.js"
import type { Incident, Plan } from "./Plan.js"
import type { World } from "./Process.js"
import { Process } from "./Process.js"
import * as ScheduleCallers from "./ScheduleCallers.js"
import * as WithStartCallers from "./WithStartCallers.js"

export interface Base {
  readonly fresh: FreshStore
  readonly sql: SqlClient.SqlClient
}

/** Plays a plan to its end, and gives what was found. */
export const run = (base: Base, plan: Plan, traced = false): Effect.Effect<Ledger> =>
  Effect.gen(function*() {
    const store = yield* base.fresh
    const time = new VirtualTime()
    const ledger = new Ledger(() => time.now - beginning, traced)
    const { clock } = time.clock()
    const weather: Weather = { rates: plan.rates, lateNews: plan.lateNews }
    const witnessed = ledger.witness(store, imposedEnds(base.sql))
    const world: World = {
      time,
      clock,
      store: witnessed,
      ledger,
      weather,
      // No run is old enough to be deleted, and no version of a worker is deployed.
      idle: new Set(plan.schedules.length === 0 ? ["sweep", "routing", "nextSchedule"] : ["sweep", "routing"]),
      version: plan.code.first,
      attemptBegins: (session, info) => Oracle.attempt(ledger, store, session, info)
    }
    const dice = new Dice(plan.seed, "run")
    const processes = plan.processes.map((each) => new Process(each, world, dice.stream(each.name)))
    const place: Place = { world, processes, chaosMillis: plan.chaosMillis }
    const inWorld = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkDaemon(Effect.withClock(effect, clock))
    const lives = yield* Effect.forEach(processes, (process) => inWorld(process.run))
    for (const incident of plan.incidents) {
      yield* inWorld(Effect.zipRight(clock.sleep(Duration.millis(incident.at)), happen(incident, processes)))
    }
    if (plan.code.at !== undefined) {
      yield* inWorld(
        Effect.zipRight(clock.sleep(Duration.millis(plan.code.at)), deploy(plan.code.next, world, processes))
      )
    }
    yield* inWorld(Effect.zipRight(
      clock.sleep(Duration.millis(plan.chaosMillis)),
      Effect.suspend(() => heal(world, processes))
    ))
    const calls = yield* inWorld(Effect.all(
      [
        ...plan.executions.map((each) => Caller.callers(each, place, dice.stream(each.workflowId))),
        ...plan.counters.map((each) => Caller.counterCallers(each, place, dice.stream(`counter ${each.key}`))),
        ...plan.schedules.map((each) => ScheduleCallers.callers(each, place, dice.stream(each.scheduleId))),
        ...plan.gatherings.map((each) => WithStartCallers.callers(each, place, dice.stream(each.workflowId)))
      ],
      { concurrency: "unbounded", discard: true }
    ))
    for (let ticks = 0;; ticks++) {
      yield* time.rest
      if (ticks % ticksBetweenChecks === 0) yield* check(ledger, store)
      // Children may outlive their parents.
      if (
        calls.unsafePoll() !== null && weather.rates === undefined && (yield* allEnded(ledger, witnessed, time.now))
      ) {
        break
      }
      if (ledger.findings.length > 0 || time.next === undefined || time.now > beginning + horizonMillis) {
        ledger.find(`no end after ${time.now - beginning} ms`)
        break
      }
      time.tick()
    }
    if (ledger.findings.length === 0) {
      yield* time.to(time.now + settleMillis)
      yield* Oracle.judge(plan, ledger, store, base.sql)
    }
    for (const fiber of [calls, ...lives]) fiber.unsafeInterruptAsFork(fiber.id())
    for (const session of processes.flatMap((each) => each.sessions)) yield* bury(session.life, session.scope)
    return ledger
  }).pipe(Effect.orDie)

const happen = (incident: Incident, processes: ReadonlyArray<Process>): Effect.Effect<void> =>
  Effect.sync(() => {
    const process = processes[incident.process]!
    switch (incident.kind) {
      case "jump":
        return process.jump(incident.millis)
      case "partition":
        return process.partition(incident.millis)
      case "freeze":
        return process.freeze(incident.millis)
      case "crash":
        return process.crash()
      case "restart":
        return process.restart()
    }
  })

/** Ends what nobody knows to have been started, by calls that were not answered; whether all has ended. */
const allEnded = (ledger: Ledger, store: Store["Type"], now: number) =>
  Effect.gen(function*() {
    const runs = yield* store.runs({ status: "Running", limit: 100 })
    const known = new Set([...ledger.accounts.values(), ...ledger.counters.values()].map(({ runId }) => runId))
    for (const run of runs) {
      if (run.parent === undefined && run.scheduled === undefined && !known.has(run.firstRunId)) {
        yield* store.terminate(run.runId, terminated, 1, now)
      }
    }
    return runs.length === 0
  })

/** Alone in their turns; or with the start of a run that never began. */
const imposedEnds = (sql: SqlClient.SqlClient): Imposed =>
  Effect.map(
    sql<HistoryRow & { readonly run_id: string }>`SELECT run_id, turn, at, format, events FROM perdure_history
      WHERE events LIKE '[{"_tag":"ExecutionTerminated"%' OR events LIKE '[{"_tag":"ExecutionCanceled"%' OR turn = 1 AND (
        events LIKE '%,{"_tag":"ExecutionTerminated"%' OR
        events LIKE '%,{"_tag":"ExecutionCanceled"%' AND events NOT LIKE '%{"_tag":"CancelRequested"%')`,
    (rows) => rows.map(({ run_id: runId, ...row }) => ({ runId, ...row }))
  )

/** All processes end, and those that come again have other code. */
const deploy = (version: Version, world: World, processes: ReadonlyArray<Process>): Effect.Effect<void> =>
  Effect.sync(() => {
    world.ledger.note(() => `the code is now "${version}"`)
    for (const process of processes) process.crash()
    world.version = version
    world.ledger.deploy()
  })

/** No more faults; who stands still goes on; who is down comes again. */
const heal = ({ ledger, weather }: World, processes: ReadonlyArray<Process>): Effect.Effect<void> =>
  Effect.sync(() => {
    ledger.note(() => "the world heals")
    weather.rates = undefined
    weather.lateNews = false
    for (const process of processes) process.heal()
  })

/** At rest, each open run has what will wake it (I5). */
const check = (ledger: Ledger, store: Store["Type"]) =>
  Effect.map(Effect.provideService(Liveness.check, Store, store), (faults) => {
    for (const fault of faults) ledger.find(`${fault.message} (I5)`)
  })

const ticksBetweenChecks = 50

/** Virtual time after which nothing more will happen. */
const horizonMillis = 90_000

/** Longer than a lease, and than any poll. */
const settleMillis = 4_000

const terminated = JSON.stringify([{ _tag: "ExecutionTerminated", reason: "not known to anybody" }])
