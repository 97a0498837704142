/**
 * Namespaces in SQL. Statements say `:namespace` where they mean that of the store's handle; its number is put into their
 * texts once, when they are made. A parameter would be one more value to bind for each row, and could be forgotten.
 *
 * ```
 *   "... WHERE namespace = :namespace AND workflow_id = ?"  ──within(dialect, 3)──▶  "... WHERE namespace = 3 AND ..."
 * ```
 *
 * Statements by run id that another namespace must not reach say `+namespace = :namespace`: the plus keeps the planner to
 * the key. Those by worker need no namespace: a worker is of one, and so is all that it owns.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Namespace, NamespaceOptions, Namespaces } from "../Namespaces.js"
import { defaultNamespace, NamespaceNotFound, NamespaceRefused } from "../Namespaces.js"
import type { StoreError } from "../Store.js"
import type { Database, Fault, Tx } from "./Database.js"
import { Gone } from "./Database.js"
import { decode } from "./Decode.js"
import type { Dialect } from "./Dialect.js"

/** A namespace as rows name it. @category models @since 0.1.0 */
export interface Place {
  /** Never that of another namespace, not even of one that was deleted. */
  readonly id: number
  readonly name: string
}

/**
 * The dialect whose statements are of one namespace.
 *
 * @category constructors
 * @since 0.1.0
 */
export const within = (dialect: Dialect, { id }: Place): Dialect => ({
  ...dialect,
  text: (sql) => dialect.text(sql.replaceAll(":namespace", String(Math.trunc(id))))
})

/** Fails once the namespace of the handle is gone. */
export type Exists = (tx: Tx) => Effect.Effect<void, Fault>

/**
 * Asked by whatever begins something in a namespace: nothing is written into one that was deleted.
 *
 * @since 0.1.0
 */
export const exists = (dialect: Dialect, { name }: Place): Exists => {
  const find = dialect.text("SELECT id FROM perdure_namespaces WHERE id = :namespace")
  return (tx) =>
    Effect.flatMap(
      tx(find, []),
      (rows) =>
        rows.length > 0
          ? Effect.void
          : new Gone({ detail: `namespace ${JSON.stringify(name)} was deleted: open the store with another one` })
    )
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Managed {
  /** The namespace of a name, for a handle of its own. */
  readonly open: (name: string) => Effect.Effect<Place, NamespaceNotFound | StoreError>
  readonly service: Namespaces["Type"]
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database, location: string): Managed => {
  const { text } = db.dialect
  const byName = text(`SELECT ${columns} FROM perdure_namespaces WHERE name = ?`)
  const all = text(`SELECT ${columns} FROM perdure_namespaces ORDER BY name`)
  const insert = text(
    `INSERT INTO perdure_namespaces (name, description, created_at, retention, archived) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO NOTHING RETURNING ${columns}`
  )
  const update = text(
    `UPDATE perdure_namespaces SET description = ?, retention = ?, archived = ? WHERE name = ? RETURNING ${columns}`
  )
  const inUse = usedBy.map(([what, table]) =>
    [what, text(`SELECT namespace FROM ${table} WHERE namespace = ? LIMIT 1`)] as const
  )
  const forgetting = ["perdure_rate_limits", "perdure_deployments", "perdure_builds"].map((table) =>
    text(`DELETE FROM ${table} WHERE namespace = ?`)
  )
  const remove = text("DELETE FROM perdure_namespaces WHERE id = ?")

  const find = (tx: Tx, name: string) => Effect.map(Effect.flatMap(tx(byName, [name]), row), ([found]) => found)

  const list = db.read("namespaces", (tx) => Effect.flatMap(tx(all, []), row))

  const orFail = <A>(name: string, found: A | undefined): Effect.Effect<A, NamespaceNotFound | StoreError> =>
    found === undefined
      ? Effect.flatMap(
        list,
        (known) => new NamespaceNotFound({ namespace: name, location, known: known.map(({ name }) => name) })
      )
      : Effect.succeed(found)

  const stored = (name: string) =>
    Effect.flatMap(db.read("namespaces", (tx) => find(tx, name)), (found) => orFail(name, found))

  return {
    open: (name) => Effect.map(stored(name), ({ id, name }) => ({ id, name })),
    service: {
      create: (name, options = {}) =>
        Effect.gen(function*() {
          if (!names.test(name)) {
            return yield* invalid(
              name,
              "a name has 1 to 255 letters, digits, \".\", \"_\" and \"-\", and begins with a letter or a digit"
            )
          }
          const retention = yield* retentionOf(name, options)
          const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
          const [created] = yield* db.write("createNamespace", (tx) =>
            Effect.flatMap(
              tx(insert, [
                name,
                options.description ?? null,
                Math.trunc(now),
                retention ?? null,
                options.archived === true ? 1 : 0
              ]),
              row
            ))
          return created === undefined
            ? yield* new NamespaceRefused({ namespace: name, reason: "Exists", detail: "it is there already" })
            : modelOf(created)
        }),
      update: (name, options) =>
        Effect.gen(function*() {
          const retention = yield* retentionOf(name, options)
          const updated = yield* db.write("updateNamespace", (tx) =>
            Effect.flatMap(find(tx, name), (found) =>
              found === undefined
                ? Effect.succeed(undefined)
                : Effect.map(
                  Effect.flatMap(
                    tx(update, [
                      options.description ?? found.description,
                      options.retention === undefined ? found.retention : retention ?? null,
                      options.archived === undefined ? found.archived : options.archived ? 1 : 0,
                      name
                    ]),
                    row
                  ),
                  (rows) =>
                    rows[0]
                )))
          return modelOf(yield* orFail(name, updated))
        }),
      list: Effect.map(list, (found) => found.map(modelOf)),
      describe: (name) => Effect.map(stored(name), modelOf),
      deleteIfEmpty: (name) =>
        Effect.gen(function*() {
          const kept = (detail: string) => new NamespaceRefused({ namespace: name, reason: "InUse", detail })
          if (name === defaultNamespace) {
            return yield* kept("it is always there, and is not deleted")
          }
          const result = yield* db.write("deleteNamespace", (tx) =>
            Effect.gen(function*() {
              const found = yield* find(tx, name)
              if (found === undefined) {
                return undefined
              }
              for (const [what, statement] of inUse) {
                if ((yield* tx(statement, [found.id])).length > 0) {
                  return what
                }
              }
              for (const forget of forgetting) {
                yield* tx(forget, [found.id])
              }
              yield* tx(remove, [found.id])
              return "nothing" as const
            }))
          const what = yield* orFail(name, result)
          if (what !== "nothing") {
            return yield* kept(`it has ${what}: it is deleted once they are gone`)
          }
        })
    }
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const names = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/

const retentionMillisMin = 1_000

/** What a namespace may not have when it is deleted. Workers and schedules among it: they could start something. */
const usedBy = [
  ["runs", "perdure_runs"],
  ["workers", "perdure_workers"],
  ["schedules", "perdure_schedules"]
] as const

interface NamespaceRow {
  readonly id: number
  readonly name: string
  readonly description: string | null
  readonly created_at: number
  readonly retention: number | null
  readonly archived: number
}

const columns = "id, name, description, created_at, retention, archived"

const row = decode(
  "perdure_namespaces",
  {
    id: "integer",
    name: "text",
    description: "text?",
    created_at: "integer",
    retention: "integer?",
    archived: "integer"
  },
  (row: NamespaceRow) => row
)

const modelOf = (row: NamespaceRow): Namespace => ({
  name: row.name,
  description: row.description ?? undefined,
  createdAt: new Date(row.created_at),
  retention: row.retention === null ? Duration.infinity : Duration.millis(row.retention),
  archived: row.archived !== 0
})

const invalid = (namespace: string, detail: string) => new NamespaceRefused({ namespace, reason: "Invalid", detail })

/** In milliseconds; undefined: for ever. */
const retentionOf = (
  namespace: string,
  { retention }: NamespaceOptions
): Effect.Effect<number | undefined, NamespaceRefused> => {
  const millis = retention === undefined ? Infinity : Duration.toMillis(retention)
  if (millis === Infinity) {
    return Effect.succeed(undefined)
  }
  return millis >= retentionMillisMin && millis <= Number.MAX_SAFE_INTEGER
    ? Effect.succeed(Math.trunc(millis))
    : invalid(namespace, `its retention must be 1 second or more, and is ${millis} milliseconds`)
}
