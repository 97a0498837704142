/**
 * Namespaces: several of them in one database, each with executions, task queues and workers of its own (row X1).
 *
 * ```
 *   database ─┬─ default     always there
 *             ├─ billing     workflow ids, queues, lists, requests: none of them is seen from another namespace
 *             └─ sales
 * ```
 *
 * A handle of a store is of one namespace; what it reads and writes is of that one alone. Run ids are unique everywhere,
 * and mean nothing in another namespace.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { StoreError } from "./Store.js"

/** The namespace of whoever names none. @since 0.1.0 */
export const defaultNamespace = "default"

/**
 * @category models
 * @since 0.1.0
 */
export interface Namespace {
  readonly name: string
  readonly description: string | undefined
  readonly createdAt: Date
  /** How long a closed run is kept; infinite: for ever. */
  readonly retention: Duration.Duration
  /** Whether closed runs are deleted only by workers that archive them. */
  readonly archived: boolean
}

/**
 * @category models
 * @since 0.1.0
 */
export interface NamespaceOptions {
  /**
   * How long a closed run is kept, from its end; at least 1 second. `Duration.infinity`: for ever. Default, at its creation:
   * for ever.
   */
  readonly retention?: Duration.DurationInput | undefined
  /**
   * Whether runs are archived before they are deleted: workers whose store has no `archive` then delete none. Default, at
   * its creation: false.
   */
  readonly archived?: boolean | undefined
  /** For whoever reads lists of namespaces. */
  readonly description?: string | undefined
}

/**
 * There is no such namespace in the database. Says which there are.
 *
 * @category errors
 * @since 0.1.0
 */
export class NamespaceNotFound extends Schema.TaggedError<NamespaceNotFound>()("NamespaceNotFound", {
  namespace: Schema.String,
  /** Where: the file, or the server. */
  location: Schema.String,
  /** Those that are there, by name. */
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `there is no namespace ${JSON.stringify(this.namespace)} in ${this.location}, only: ${
      this.known.join(", ")
    }. Create it from a store of namespace "default": Namespaces.create(${JSON.stringify(this.namespace)})`
  }
}

/**
 * A namespace cannot be created, changed or deleted as was asked.
 *
 * @category errors
 * @since 0.1.0
 */
export class NamespaceRefused extends Schema.TaggedError<NamespaceRefused>()("NamespaceRefused", {
  namespace: Schema.String,
  /**
   * - Exists: it was created before.
   * - Invalid: its name or its options break a rule.
   * - InUse: it has runs, schedules or workers, or is "default": it is not deleted.
   */
  reason: Schema.Literal("Exists", "Invalid", "InUse"),
  /** What is in the way, and what to do. */
  detail: Schema.String
}) {
  override get message(): string {
    return `namespace ${JSON.stringify(this.namespace)}: ${this.detail}`
  }
}

/**
 * The namespaces of a database, from whichever of them the store is.
 *
 * @category services
 * @since 0.1.0
 */
export class Namespaces extends Context.Tag("perdure/Namespaces")<Namespaces, {
  /**
   * Creates a namespace. Its name: 1 to 255 letters, digits, `.`, `_` and `-`, of which the first is a letter or a digit;
   * case counts. Fails where it is there already.
   */
  readonly create: (
    name: string,
    options?: NamespaceOptions
  ) => Effect.Effect<Namespace, NamespaceRefused | StoreError>
  /** Changes what is given; the rest stays. A new retention holds for runs that closed before, too. */
  readonly update: (
    name: string,
    options: NamespaceOptions
  ) => Effect.Effect<Namespace, NamespaceNotFound | NamespaceRefused | StoreError>
  /** All of them, by name. */
  readonly list: Effect.Effect<ReadonlyArray<Namespace>, StoreError>
  readonly describe: (name: string) => Effect.Effect<Namespace, NamespaceNotFound | StoreError>
  /**
   * Deletes a namespace without runs, schedules and workers; its name may be used again. Handles that are open yet can
   * start nothing in it any more.
   */
  readonly deleteIfEmpty: (name: string) => Effect.Effect<void, NamespaceNotFound | NamespaceRefused | StoreError>
}>() {}
