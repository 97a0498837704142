/**
 * The Store in a SQLite file, shared by the processes of one machine.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Archive } from "../Archive.js"
import type { NamespaceNotFound } from "../Namespaces.js"
import { defaultNamespace, Namespaces } from "../Namespaces.js"
import * as Database from "../sql/Database.js"
import * as SqlNamespaces from "../sql/Namespaces.js"
import * as SqlStore from "../SqlStore.js"
import type { Durability } from "../Store.js"
import { Store, StoreError } from "../Store.js"
import * as DataVersion from "./DataVersion.js"
import * as Opening from "./Opening.js"
import { dialect } from "./SqliteDialect.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The file, created if it is not there; its directory must be. `:memory:` for a database that ends with the layer. */
  readonly filename: string
  /**
   * Whose executions, queues and lists these are (row X1). It must be there: `Namespaces` creates it. Default: `default`,
   * which always is.
   */
  readonly namespace?: string | undefined
  /**
   * Where the histories of runs go before workers on this store delete them, once they are older than their namespace
   * keeps them (row X1). Default: nowhere.
   */
  readonly archive?: Archive | undefined
  /** What a commit survives. Default: `power-loss`. */
  readonly durability?: Durability | undefined
  /** How long a call waits for a lock that another process holds. Default: 5 seconds. */
  readonly busyTimeout?: Duration.DurationInput | undefined
  /** How often to look for commits of other processes while there may be some, at most. Default: 100 millis. */
  readonly pollInterval?: Duration.DurationInput | undefined
  /** How often to look at other times, where the file's log cannot be watched. Default: 50 millis. */
  readonly idlePollInterval?: Duration.DurationInput | undefined
  /** How long a reply that nobody takes is kept, and a query that nobody answers. Default: 1 hour. */
  readonly replyRetention?: Duration.DurationInput | undefined
}

/**
 * Opens the file and gives the store of one namespace, all the `Namespaces`, and the `SqlClient` of the same database.
 * Fails with `NamespaceNotFound` where there is no such namespace.
 *
 * **Gotchas**
 *
 * SQLite has one connection here: a transaction of yours through `SqlClient` holds up the store until it ends.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: LayerOf = ((options: Options) =>
  Layer.scopedContext(Effect.gen(function*() {
    const durability = options.durability ?? "power-loss"
    const busyTimeoutMillis = Duration.toMillis(options.busyTimeout ?? "5 seconds")
    const client = yield* Opening.open({ filename: options.filename, durability, busyTimeoutMillis })
    const changes = yield* DataVersion.make(client, {
      pollMillis: Duration.toMillis(options.pollInterval ?? "100 millis"),
      idlePollMillis: Duration.toMillis(options.idlePollInterval ?? "50 millis")
    }).pipe(Effect.mapError((error) => new StoreError({ operation: "open", ...dialect.failure(error), cause: error })))
    const [{ place = "" } = {}] = yield* Effect.mapError(
      client.unsafe<{ readonly place?: string }>(dialect.place),
      (error) => new StoreError({ operation: "open", ...dialect.failure(error), cause: error })
    )
    const db = Database.make(client, dialect, busyTimeoutMillis, place)
    const namespaces = SqlNamespaces.make(db, options.filename)
    const store = SqlStore.make({
      client,
      dialect,
      namespace: yield* namespaces.open(options.namespace ?? defaultNamespace),
      changes,
      place,
      about: { store: "SQLite", durability, location: options.filename },
      busyTimeoutMillis,
      archive: options.archive,
      retentionMillis: Duration.toMillis(options.replyRetention ?? "1 hour")
    })
    return Context.make(Store, store).pipe(
      Context.add(Namespaces, namespaces.service),
      Context.add(SqlClient.SqlClient, client)
    )
  }))) as LayerOf

// internal -----------------------------------------------------------------------------------------------------------

interface LayerOf {
  (options: Options & { readonly namespace?: undefined }): Layer.Layer<Provided, StoreError>
  (options: Options): Layer.Layer<Provided, StoreError | NamespaceNotFound>
}

type Provided = Store | Namespaces | SqlClient.SqlClient
