/**
 * Parents and children for tests: a child that doubles, one that waits until it is told to end, and a parent whose body a
 * test gives it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import * as World from "./World.js"

export class Odd extends Schema.TaggedError<Odd>()("Odd", { n: Schema.Number }) {}

export const Double = Workflow.make("Double", { payload: Schema.Number, success: Schema.Number, error: Odd })
export const doubleLive = Double.toLayer((n) => n % 2 === 1 ? new Odd({ n }) : Effect.succeed(n * 2))

/** Waits until it is told to end; asked to be canceled, it waits for one more signal. */
export const Patient = Workflow.make("Patient", {
  payload: Schema.Struct({ stubborn: Schema.Boolean }),
  success: Schema.String,
  signals: { end: { payload: Schema.String } }
})
export const patientLive = Patient.toLayer(({ stubborn }) =>
  Effect.gen(function*() {
    const ending = yield* Deferred.make<string>()
    const wait = Deferred.await(ending)
    return Patient.of({
      signals: { end: (how) => Deferred.succeed(ending, how) },
      run: stubborn ? Workflow.catchCancel(wait, (reason) => Effect.map(wait, (how) => `${reason}, ${how}`)) : wait
    })
  })
)

/** Runs what a test gives it, by name: a body that differs from test to test. */
export const Parent = Workflow.make("Parent", {
  payload: Schema.Unknown,
  success: Schema.Unknown,
  signals: { go: {} }
})
export type Body = Effect.Effect<unknown, unknown, Workflow.BodyServices>
export const parentOf = (body: (go: Effect.Effect<void>) => Body): Layer.Layer<never> =>
  Parent.toLayer(() =>
    Effect.gen(function*() {
      const going = yield* Deferred.make<void>()
      return Parent.of({
        signals: { go: () => Deferred.succeed(going, undefined) },
        run: body(Deferred.await(going)) as Effect.Effect<unknown>
      })
    })
  ) as unknown as Layer.Layer<never>

/** What it failed with, as data. */
export const failed = <R>(effect: Effect.Effect<unknown, unknown, R>): Effect.Effect<unknown, unknown, R> =>
  Effect.map(Effect.flip(effect), (error) => JSON.parse(JSON.stringify(error)) as unknown)

export const world = (body: (go: Effect.Effect<void>) => Body) =>
  Effect.map(
    World.run(Worker.layer({ hosts: [doubleLive, patientLive, parentOf(body)] })),
    ({ client }) => client
  )

export const runOf = (workflowId: string) =>
  Effect.flatMap(Store, (store) => Effect.flatten(store.findLatest(workflowId)))

/** Waits until it is closed. */
export const closed = (workflowId: string) => World.until(runOf(workflowId), ({ status }) => status !== "Running")

/** The events of a history, in short. */
export const tags = (turns: ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>) =>
  turns.flatMap(({ events }) => events.map(({ _tag }) => _tag))

/** Waits until its first turn is there. */
export const isBegun = (workflowId: string) =>
  World.until(Effect.either(runOf(workflowId)), (run) => run._tag === "Right" && run.right.turn > 0)
