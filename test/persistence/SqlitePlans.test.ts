/**
 * How SQLite finds the rows of each statement: none walks a table that grows, so that no poll slows down with the
 * number of closed runs, of sleepers, or of another queue's backlog.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Changes from "../../src/persistence/sql/Changes.js"
import { dialect } from "../../src/persistence/sqlite/SqliteDialect.js"
import { migrations, migrationsTable } from "../../src/persistence/sqlite/SqliteMigrations.js"
import * as SqlStore from "../../src/persistence/SqlStore.js"

/** Statements that may walk a table, and why that is well. */
const walks: ReadonlyArray<readonly [statement: RegExp, plan: RegExp]> = [
  // As many rows as there are workers.
  [/FROM perdure_workers/, /SCAN perdure_workers/],
  // As many rows as there are deployments and builds.
  [/FROM perdure_(builds|deployments)/, /SCAN (perdure_builds|d)/],
  // At a take-over only: tasks that are pending, replies that wait.
  [/SET state .* WHERE state = 'started' AND worker/, /SCAN perdure_activity_tasks$/],
  // And the runs that are open.
  [/SET owner = NULL, epoch = epoch \+ 1/, /USING INDEX perdure_runs_open/],
  [/DELETE FROM perdure_replies WHERE at/, /SCAN perdure_replies/],
  // Runs whose history is being deleted: hardly ever one.
  [/FROM perdure_removed_runs/, /SCAN perdure_removed_runs/],
  // An index that holds unanswered queries and nothing else.
  [/kind IN \('Query', 'Update'\)/, /USING INDEX perdure_mailbox_asks/]
]

describe("the plans of SQLite", () => {
  it("walk no table that grows", () => {
    const db = new Sqlite(":memory:")
    db.exec([migrationsTable, ...migrations.flatMap(({ statements }) => statements)].join(";\n"))
    const found: Array<string> = []
    for (const statement of statements()) {
      const parameters = statement.split("?").length - 1
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${statement}`).all(Array.from({ length: parameters }, () => 1))
      for (const { detail } of plan as ReadonlyArray<{ readonly detail: string }>) {
        const well = walks.some(([text, known]) => text.test(statement) && known.test(detail))
        if (/^SCAN (perdure_|[a-z]\b)(?!.*VALUES)/.test(detail) && detail !== "SCAN v" && !well) {
          found.push(`${detail}: ${statement}`)
        }
      }
    }
    db.close()
    assert.deepStrictEqual(found, [])
  })

  it("find what is of one namespace without reading what is of others (X1)", () => {
    const db = new Sqlite(":memory:")
    db.exec([migrationsTable, ...migrations.flatMap(({ statements }) => statements)].join(";\n"))
    const found: Array<string> = []
    let asked = 0
    for (const statement of statements()) {
      const isOne = /(?<![+\w.])([a-z]\.)?namespace = 7/.test(statement)
      const isChecked = /\+([a-z]\.)?namespace = 7/.test(statement)
      if (!isOne && !isChecked) continue
      asked++
      const parameters = statement.split("?").length - 1
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${statement}`).all(Array.from({ length: parameters }, () => 1))
      const details = (plan as ReadonlyArray<{ readonly detail: string }>).map(({ detail }) => detail)
      // One by run id goes by the key, whatever the namespace is.
      const well = isOne
        ? details.some((detail) => detail.includes("(namespace=?"))
        : details.every((detail) => !detail.includes("(namespace=?"))
      if (!well) found.push(`${details.join("; ")}: ${statement}`)
    }
    db.close()
    assert.isAbove(asked, 30)
    assert.deepStrictEqual(found, [])
  })

  it("are made once: the texts are a fixed set that the driver can keep prepared", () => {
    const texts = statements()
    assert.isAbove(texts.size, 100)
    assert.isBelow(texts.size, 550)
  })
})

/** Every statement that the store has. */
const statements = (): ReadonlySet<string> => {
  const texts = new Set<string>()
  SqlStore.make({
    // It is asked for nothing: statements are made before any of them runs.
    client: {} as SqlClient,
    dialect: {
      ...dialect,
      text: (sql) => {
        const text = dialect.text(sql)
        texts.add(text)
        return text
      }
    },
    namespace: { id: 7, name: "seventh" },
    changes: Changes.make({ begin: () => {}, end: () => {} }),
    about: { store: "SQLite", durability: "power-loss", location: "" },
    place: "",
    archive: undefined,
    busyTimeoutMillis: 0,
    retentionMillis: 0
  })
  return texts
}
