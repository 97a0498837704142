/**
 * The real engine for a test: a store of its own, workers that can be stopped one by one, and waiting without sleeping.
 */
import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import { ActivityError, Client, StoreClient } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import * as Folder from "../persistence/Folder.js"

/** A database that ends with the test. */
export const memory = Layer.orDie(SqliteStore.layer({ filename: ":memory:" }))

/** A file that ends with the test, as users have it. */
export const disk = Layer.unwrapScoped(
  Effect.map(Folder.make, (folder) => Layer.orDie(SqliteStore.layer({ filename: folder.file("test.db") })))
)

/** A database in memory, some of whose calls a test does otherwise. */
export const changed = (change: (store: Store["Type"]) => Partial<Store["Type"]>): Layer.Layer<Store> =>
  Layer.effect(Store, Effect.map(Store, (store) => ({ ...store, ...change(store) }))).pipe(Layer.provide(memory))

/** A test on the real clock, with a store. Its name ends with the rows that it holds. */
export const test = (
  name: string,
  program: () => Effect.Effect<void, unknown, Store | Scope.Scope>,
  store: Layer.Layer<Store> = memory
): void =>
  it.live(
    name,
    () =>
      Effect.suspend(program).pipe(
        Effect.timeoutFail({
          duration: "20 seconds",
          onTimeout: () => new Error("the test waits for what does not come")
        }),
        // Workers end before their store does.
        Effect.scoped,
        Effect.provide(store),
        Logger.withMinimumLogLevel(logLevel)
      )
  )

const logLevel = process.env["LOG"] === undefined ? LogLevel.None : LogLevel.All

export interface Running {
  readonly client: Context.Tag.Service<typeof Client>
  /** Closes the Layer, as the end of a program does. */
  readonly stop: Effect.Effect<void>
}

/** Runs a worker on the test's store until the test ends, or until it is stopped. */
export const run = (
  worker: Layer.Layer<Client, unknown, Store>
): Effect.Effect<Running, unknown, Store | Scope.Scope> =>
  Effect.gen(function*() {
    const store = yield* Store
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const context = yield* Layer.buildWithScope(Layer.provide(worker, Layer.succeed(Store, store)), scope)
    return { client: Context.get(context, Client), stop: Scope.close(scope, Exit.void) }
  })

/** A client without an engine, as another process has it. */
export const remote: Effect.Effect<Context.Tag.Service<typeof Client>, never, Store> = Effect.provide(
  Client,
  StoreClient.layer
)

/** Looks again and again until it holds; fails with what was seen last. */
export const until = <A, E, R>(
  look: Effect.Effect<A, E, R>,
  holds: (seen: A) => boolean
): Effect.Effect<A, E | Error, R> => {
  let last: unknown
  const again: Effect.Effect<A, E, R> = Effect.flatMap(look, (found) => {
    last = found
    return holds(found) ? Effect.succeed(found) : Effect.zipRight(Effect.sleep("5 millis"), again)
  })
  return Effect.timeoutFail(again, {
    duration: patience,
    onTimeout: () => new Error(`waited in vain; seen last: ${JSON.stringify(last)}`)
  })
}

/** How long a test waits for what must come, on a machine that is busy with other things. */
export const patience = "15 seconds"

/** What a body sees of an activity or step that ended otherwise than well, as a value that it can return. */
export interface Seen {
  readonly attempt: number
  readonly retryState: string
  readonly failure: ActivityError["failure"]
}

/** The result, or an ActivityError as data; declared errors stay errors. */
export const seen = <A, E, R>(
  effect: Effect.Effect<A, E | ActivityError, R>
): Effect.Effect<A | Seen, Exclude<E, ActivityError>, R> =>
  Effect.catchAll(effect, (error): Effect.Effect<Seen, Exclude<E, ActivityError>> =>
    error instanceof ActivityError
      ? Effect.succeed({ attempt: error.attempt, retryState: error.retryState, failure: error.failure })
      : Effect.fail(error as Exclude<E, ActivityError>))

/** A gate that code under test waits at, and the test opens. */
export const gate = (): {
  readonly open: Effect.Effect<void>
  readonly pass: Effect.Effect<void>
} => {
  const deferred = Deferred.unsafeMake<void>(FiberId.none)
  return { open: Effect.asVoid(Deferred.succeed(deferred, undefined)), pass: Deferred.await(deferred) }
}
