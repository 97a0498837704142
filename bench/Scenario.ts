/**
 * What a scenario is: what the bench's own process does (`run`), and what the processes that it starts do (roles).
 *
 * ```
 *   bench (main.ts)                     child (child.ts), compiled, one role
 *   scenario.run ── start(role) ──────▶ role.run ──▶ the engine, a database in the round's folder
 *        ▲                                 │
 *        └── said("word"), result ◀── say("word"), return
 * ```
 *
 * Times that include the start of a process are taken on the bench's side, from the spawn to the message that ends them.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Durability, Store, StoreError } from "perdure/sqlite"
import { SqliteStore } from "perdure/sqlite"

/** By metric. Those that the scenario does not list are details, shown on stderr only. */
export type Figures = Readonly<Record<string, number>>

/** How a child's code is put together: see Compile.ts. */
export type Packaging = "bundled" | "modules"

/** What a child process gets. */
export interface Given<Args> {
  readonly filename: string
  readonly durability: Durability
  readonly args: Args
  /** Tells the bench, at once, with the figures there are by then. */
  readonly say: (word: string, figures?: Figures) => Effect.Effect<void>
}

/** What a child process does. What it returns must be JSON. */
export interface Role<in Args, out A> {
  readonly scenario: string
  readonly name: string
  readonly run: (given: Given<Args>) => Effect.Effect<A, unknown, Scope.Scope>
}

export const role = <Args, A>(
  scenario: string,
  name: string,
  run: (given: Given<Args>) => Effect.Effect<A, unknown, Scope.Scope>
): Role<Args, A> => ({ scenario, name, run })

/** A word of a child. */
export interface Said {
  /** From the spawn of the child to the word's arrival. */
  readonly millis: number
  readonly figures: Figures
}

/** A child process as the bench sees it. */
export interface Child<out A> {
  readonly said: (word: string) => Effect.Effect<Said, BenchError>
  readonly result: Effect.Effect<A, BenchError>
  /** SIGKILL; returns when it is dead. */
  readonly kill: Effect.Effect<void>
}

/** What a scenario works with in one round. */
export interface Bench {
  /** A path in this round's folder, where nothing is yet. */
  readonly file: (name: string) => string
  /** Starts a process, bundled if nothing else is said; it is killed when the round ends, should it still run. */
  readonly start: <Args, A>(
    role: Role<Args, A>,
    filename: string,
    args: Args,
    packaging?: Packaging
  ) => Effect.Effect<Child<A>, BenchError, Scope.Scope>
  /** Makes something once for all rounds, in a folder that stays until the end: `make` gets a path in it. */
  readonly once: (
    key: string,
    make: (file: string) => Effect.Effect<void, BenchError, Scope.Scope>
  ) => Effect.Effect<string, BenchError>
  /** What another scenario came to in this round; it is run if it was not yet. */
  readonly figuresOf: (scenario: string) => Effect.Effect<Figures, BenchError>
}

export interface Scenario {
  readonly name: string
  /** In the order in which they are shown. */
  readonly metrics: ReadonlyArray<string>
  readonly roles: ReadonlyArray<Role<never, unknown>>
  readonly run: (bench: Bench) => Effect.Effect<Figures, BenchError, Scope.Scope>
}

export class BenchError extends Schema.TaggedError<BenchError>()("BenchError", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** The store that a child uses. There is one kind so far. */
export const store = (given: Given<unknown>): Layer.Layer<Store | SqlClient, StoreError> =>
  SqliteStore.layer({ filename: given.filename, durability: given.durability })
