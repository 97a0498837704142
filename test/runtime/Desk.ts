/**
 * A workflow that has one of everything, for tests of the client: it counts until it is told how to end.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ApplicationError, State, Worker, Workflow } from "perdure"

export class Refused extends Schema.TaggedError<Refused>()("Refused", { reason: Schema.String }) {}

export const Ending = Schema.Literal("complete", "fail", "application", "defect")

export const Desk = Workflow.make("Desk", {
  payload: Schema.Number,
  success: Schema.Number,
  error: Refused,
  signals: { add: { payload: Schema.Number }, end: { payload: Ending } },
  queries: {
    total: { success: Schema.Number },
    times: { payload: Schema.Number, success: Schema.Number },
    broken: { success: Schema.Number }
  },
  updates: {
    /** Ends in its first turn. Refuses 0, throws on 13. */
    add: { payload: Schema.Number, success: Schema.Number, error: Refused },
    /** Ends with the next signal `add`. */
    later: { payload: Schema.Number, success: Schema.Number, error: Refused },
    /** Ends the run. */
    end: { payload: Ending, success: Schema.String }
  }
})

/** Handlers that ran, and validators: what a replay must not repeat is asserted on the history instead. */
export const hosted = (log: Array<string> = []) =>
  Desk.toLayer((initial) =>
    Effect.gen(function*() {
      const total = yield* State.make(initial)
      const added = yield* State.make(0)
      const ending = yield* Deferred.make<typeof Ending.Type>()
      const refuse = (n: number) => {
        log.push(`validate ${n}`)
        return n === 0 ? new Refused({ reason: "nothing to add" }) : Effect.void
      }
      return Desk.of({
        signals: {
          add: (n) => Effect.zipRight(total.update((sum) => sum + n), added.update((count) => count + 1)),
          end: (how) => Deferred.succeed(ending, how)
        },
        queries: {
          total: () => total.get,
          times: (n) => Effect.map(total.get, (sum) => sum * n),
          broken: () => new ApplicationError({ type: "Broken", message: "cannot tell" })
        },
        updates: {
          add: {
            validate: refuse,
            handle: (n) => n === 13 ? new Refused({ reason: "bad luck" }) : total.updateAndGet((sum) => sum + n)
          },
          later: {
            validate: refuse,
            handle: (n) =>
              Effect.gen(function*() {
                const before = yield* added.get
                yield* Workflow.condition(Effect.map(added.get, (count) => count > before))
                return yield* total.updateAndGet((sum) => sum + n)
              })
          },
          end: (how) => Effect.as(Deferred.succeed(ending, how), `will ${how}`)
        },
        run: Effect.flatMap(Deferred.await(ending), (how): Effect.Effect<number, Refused | ApplicationError> => {
          switch (how) {
            case "complete":
              return total.get
            case "fail":
              return new Refused({ reason: "asked to fail" })
            case "application":
              return new ApplicationError({ type: "Asked", message: "asked to fail", details: [1] })
            case "defect":
              return Effect.die(new Error("asked to throw"))
          }
        })
      })
    })
  )

export const desk = (
  options: { readonly maxCachedExecutions?: number; readonly taskQueue?: string; readonly log?: Array<string> } = {}
) => Worker.layer({ ...options, hosts: [hosted(options.log)] })
