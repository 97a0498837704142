/**
 * A mutex between executions: whoever wants the printer asks its lock, and goes on when it is theirs.
 *
 *   job a ──acquire──▶ Lock ──granted──▶ job a prints ──release──▶ Lock ──granted──▶ job b ...
 *   job b ──acquire──▶  (waits in line)
 *
 * The lock is a workflow as well; it takes itself back from one that does not give it back in time.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export const Print = Activity.make("Print", { payload: { page: Schema.String }, startToCloseTimeout: "1 minute" })

/** Ends when nobody has wanted it for an hour. */
export const Lock = Workflow.make("Lock", {
  signals: { acquire: { payload: Schema.String }, release: { payload: Schema.String } }
})

export const Job = Workflow.make("Job", {
  payload: { lock: Schema.String, page: Schema.String },
  signals: { granted: {} }
})

const heldMost = "10 minutes"

export const LockLive = Lock.toLayer(() =>
  Effect.sync(() => {
    const line: Array<string> = []
    let holder: string | undefined
    const drop = (who: string) => {
      if (holder === who) holder = undefined
      const place = line.indexOf(who)
      if (place >= 0) line.splice(place, 1)
    }
    return Lock.of({
      signals: {
        acquire: (who) => Effect.sync(() => void line.push(who)),
        release: (who) => Effect.sync(() => drop(who))
      },
      run: Effect.gen(function*() {
        for (;;) {
          const wanted = yield* Effect.timeoutOption(Workflow.condition(() => line.length > 0), "1 hour")
          if (wanted._tag === "None") return
          const who = holder = line.shift()!
          // One that is over by now leaves the lock to the next.
          const granted = yield* Effect.option(Workflow.external(Job, who).signal("granted"))
          if (granted._tag === "Some") {
            yield* Effect.timeoutOption(Workflow.condition(() => holder === undefined), heldMost)
          }
          holder = undefined
        }
      })
    })
  })
)

export const JobLive = Job.toLayer(Effect.fn(function*({ lock, page }) {
  const granted = yield* Deferred.make<void>()
  const { workflowId } = yield* Workflow.info
  const printer = Workflow.external(Lock, lock)
  return Job.of({
    signals: { granted: () => Deferred.succeed(granted, undefined) },
    run: Effect.acquireUseRelease(
      printer.signal("acquire", workflowId),
      () => Effect.zipRight(Deferred.await(granted), Print.execute({ page })),
      // Canceled or failed: it is given back all the same.
      () => Effect.ignore(printer.signal("release", workflowId))
    )
  })
}))

export const hosts = [LockLive, JobLive, Print.toLayer(() => Effect.void)] as const

export const play = Effect.gen(function*() {
  const client = yield* Client
  yield* client.start(Lock, undefined, { workflowId: "printer" })
  const jobs = yield* Effect.forEach(
    ["a", "b", "c"],
    (page) => client.start(Job, { lock: "printer", page }, { workflowId: `job ${page}` })
  )
  yield* Effect.forEach(jobs, (job) => job.result)
  return "all pages are printed"
})
