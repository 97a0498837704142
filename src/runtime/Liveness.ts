/**
 * The liveness check of a whole store (I5): every open run is folded and compared with the rows that will wake it, and
 * every schedule with when it is looked at.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Events from "../core/Event.js"
import { Limits } from "../core/Limits.js"
import type { LivenessFault } from "../core/Liveness.js"
import * as Liveness from "../core/Liveness.js"
import type { Message } from "../core/Message.js"
import * as Messages from "../core/Message.js"
import * as RunStates from "../core/RunState.js"
import type { Run, StoreError } from "../persistence/Store.js"
import { Store } from "../persistence/Store.js"
import * as Histories from "./Histories.js"
import * as ScheduleLiveness from "./schedule/ScheduleLiveness.js"

/**
 * The faults of all open runs, and of all schedules. Meant for stores that are at rest: a run that is taking a turn may look torn between two
 * of its reads.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check: Effect.Effect<ReadonlyArray<LivenessFault>, StoreError | Events.UnreadableTurn, Store> = Effect.gen(
  function*() {
    const store = yield* Store
    const found: Array<LivenessFault> = []
    const workers = new Set((yield* store.workers).map(({ id }) => id))
    let afterRunId: string | undefined
    for (;;) {
      const runs = yield* store.runs({ status: "Running", afterRunId, limit: Limits.claimRowsMax })
      for (const run of runs) found.push(...(yield* checkRun(run, workers)))
      if (runs.length < Limits.claimRowsMax) return [...found, ...yield* ScheduleLiveness.check(store)]
      afterRunId = runs[runs.length - 1]!.runId
    }
  }
)

const checkRun = (run: Run, workers: ReadonlySet<string>) =>
  Effect.gen(function*() {
    const store = yield* Store
    const state = RunStates.fold(run.runId, yield* Histories.read(store, run.runId))
    const mail: Array<Message> = []
    for (const each of yield* store.mail(run.runId, 0)) {
      const message = Messages.decode(each.body)
      if (Either.isRight(message) && message.right._tag !== "Query") mail.push(message.right)
    }
    const tasks = yield* store.tasksOf(run.runId)
    const children = state.children.size === 0 ? [] : yield* store.openChildren(run.runId)
    const named = new Set([run.owner, ...tasks.map(({ worker }) => worker)])
    return Liveness.faults(state, {
      wakeAt: run.wakeAt,
      expiresAt: run.expiresAt,
      tasks: new Set(tasks.map((task) => task.seq)),
      children: new Set(children.map(({ seq }) => seq)),
      mail,
      unknownWorkers: [...named].filter((worker) => worker !== undefined && !workers.has(worker)) as Array<string>,
      unreachable: run.attention?.includes("\"NoWakeUp\"") === true
    })
  })
