/**
 * State: a cell of a run that its queries can read and only its body and handlers can write.
 *
 * A `Ref` works too, but nothing stops a query from writing it; a State's writes need a `WorkflowContext`, which a query
 * has not: writing there does not compile, and is refused if forced (I11).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { WorkflowContext } from "./WorkflowContext.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface State<in out A> {
  /** The value as of now. */
  readonly get: Effect.Effect<A>
  readonly set: (value: A) => Effect.Effect<void, never, WorkflowContext>
  readonly update: (f: (value: A) => A) => Effect.Effect<void, never, WorkflowContext>
  /** Changes the value and returns what it became. */
  readonly updateAndGet: (f: (value: A) => A) => Effect.Effect<A, never, WorkflowContext>
}

/**
 * Makes a cell. It belongs to the body that made it: make it in the body, not at module level.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(initial: A): Effect.Effect<State<A>> =>
  Effect.sync(() => {
    let current = initial
    const writable = <B>(write: () => B) =>
      Effect.flatMap(WorkflowContext, (context) => Effect.map(context.assertWritable("a write to State"), write))
    const updateAndGet = (f: (value: A) => A) => writable(() => current = f(current))
    return {
      get: Effect.sync(() => current),
      set: (value) => writable(() => void (current = value)),
      update: (f) => Effect.asVoid(updateAndGet(f)),
      updateAndGet
    }
  })
