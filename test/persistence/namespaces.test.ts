/**
 * Namespaces on SQLite: the contract, and a file from before there were any.
 */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { applicationId, migrations, migrationsTable } from "../../src/persistence/sqlite/SqliteMigrations.js"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { Store } from "../../src/persistence/Store.js"
import * as Namespaces from "./contract/Namespaces.suite.js"
import * as Retention from "./contract/Retention.suite.js"
import { newRun, now } from "./contract/Samples.js"
import * as Folder from "./Folder.js"

const database = Effect.map(
  Folder.make,
  (folder): Namespaces.Opening => (options) =>
    SqliteStore.layer({ filename: folder.file("store.db"), durability: "process-crash", ...options })
)

Namespaces.suite("namespaces of a SQLite file", database)

Retention.suite("retention in a SQLite file", database)

describe("a file from before there were namespaces", () => {
  it.scoped("is that of the default one (X1)", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("old.db")
      const db = new Sqlite(filename)
      db.exec(migrationsTable)
      for (const { name, statements, version } of migrations.filter(({ version }) => version < 9)) {
        db.prepare("INSERT INTO perdure_migrations (version, name) VALUES (?, ?)").run(version, name)
        for (const statement of statements) db.exec(statement)
      }
      db.exec(`INSERT INTO perdure_runs (run_id, workflow_id, workflow, task_queue, status, epoch, wake_at, started_at)
          VALUES ('r1', 'w', 'Order', 'orders', 'Running', 0, 1, 1);
        INSERT INTO perdure_mailbox (run_id, kind, body, at) VALUES ('r1', 'Start', '{}', 1);
        INSERT INTO perdure_start_requests (workflow_id, request_id, run_id) VALUES ('w', 'q', 'r1');
        INSERT INTO perdure_workers (id, lease_until, identity, started_at) VALUES ('ada', 1, '', 1);
        PRAGMA application_id = ${applicationId}`)
      db.close()
      yield* Effect.gen(function*() {
        const store = yield* Store
        const start = { runId: "r2", kind: "Start" as const, body: "{}" }
        const known = yield* store.create(newRun("r2", { workflowId: "w" }), start, { requestId: "q" })
        assert.deepStrictEqual(known, { _tag: "Known", runId: "r1" })
        assert.deepInclude(Option.getOrThrow(yield* store.findLatest("w")), { runId: "r1" })
        assert.deepStrictEqual((yield* store.claimRuns("ada", ["orders"], now, 10)).map(({ runId }) => runId), ["r1"])
      }).pipe(Effect.provide(SqliteStore.layer({ filename })))
    }))
})
