/**
 * Opening: only files of ours, of versions that we know, at the durability that was asked for; everything else is
 * refused by name and left as it was.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { migrations } from "../../src/persistence/sqlite/SqliteMigrations.js"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { Store } from "../../src/persistence/Store.js"
import { done, first, staffed, turns } from "./contract/Samples.js"
import * as Folder from "./Folder.js"
import * as Process from "./Process.js"

type Options = Omit<SqliteStore.Options, "filename" | "namespace">

const open = (filename: string, options: Options = {}) =>
  Effect.void.pipe(Effect.provide(SqliteStore.layer({ filename, ...options })))

const refusal = (filename: string, options: Options = {}) =>
  Effect.map(Effect.flip(open(filename, options)), (error) => ({
    operation: error.operation,
    reason: error.reason,
    transient: error.transient,
    message: error.message
  }))

const pragma = (name: string) =>
  Effect.flatMap(SqlClient, (sql) => Effect.map(sql.unsafe(`PRAGMA ${name}`).values, (rows) => rows[0]![0]))

describe("opening a SQLite store", () => {
  it.scoped("keeps what was written", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const layer = staffed(SqliteStore.layer({ filename: folder.file("a.db") }))
      yield* Effect.provide(done([first("r1")]), layer)
      assert.deepStrictEqual(yield* Effect.provide(turns("r1"), layer), [1])
    }))

  it.scoped("sets and states the durability", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("a.db")
      for (const [durability, synchronous] of [["power-loss", 2], ["process-crash", 1]] as const) {
        const found = yield* Effect.all([
          pragma("journal_mode"),
          pragma("synchronous"),
          Effect.map(Store, (s) => s.about)
        ])
          .pipe(Effect.provide(SqliteStore.layer({ filename, durability })))
        const about = { store: "SQLite", durability, location: filename, namespace: "default" }
        assert.deepStrictEqual(found, ["wal", synchronous, about])
      }
      const { durability } = yield* Effect.provide(
        Effect.map(Store, (store) => store.about),
        SqliteStore.layer({ filename })
      )
      assert.strictEqual(durability, "power-loss")
    }))

  it.scoped("refuses another program's database, and leaves it as it was", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const withTables = folder.file("tables.db")
      const withId = folder.file("id.db")
      new Sqlite(withTables).exec("CREATE TABLE theirs (a)").close()
      new Sqlite(withId).exec("PRAGMA application_id = 7").close()
      for (const filename of [withTables, withId]) {
        const before = readFileSync(filename)
        const { message, operation, reason, transient } = yield* refusal(filename)
        assert.deepStrictEqual([operation, reason, transient], ["open", "Foreign", false])
        assert.include(message, filename)
        assert.isTrue(before.equals(readFileSync(filename)))
        assert.isFalse(existsSync(`${filename}-wal`))
      }
    }))

  it.scoped("refuses a newer schema", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("a.db")
      yield* open(filename)
      new Sqlite(filename).exec("INSERT INTO perdure_migrations (version, name) VALUES (99, 'later')").close()
      const { message, reason, transient } = yield* refusal(filename)
      assert.deepStrictEqual([reason, transient], ["Newer", false])
      assert.include(message, "schema version 99")
    }))

  it.scoped("refuses what is no database, and one that is damaged", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const text = folder.file("text.db")
      writeFileSync(text, "not a database, however long one reads on ".repeat(100))
      assert.strictEqual((yield* refusal(text)).reason, "Corrupt")
      assert.include(readFileSync(text, "utf8"), "not a database")

      const damaged = folder.file("damaged.db")
      yield* open(damaged)
      const bytes = readFileSync(damaged)
      bytes.fill(0xaa, 120, 4096)
      writeFileSync(damaged, bytes)
      assert.strictEqual((yield* refusal(damaged)).reason, "Corrupt")

      const gutted = folder.file("gutted.db")
      yield* open(gutted)
      new Sqlite(gutted).exec("DELETE FROM perdure_migrations").close()
      assert.strictEqual((yield* refusal(gutted)).reason, "Corrupt")
    }))

  it.scoped("reports a place where no file can be", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      assert.strictEqual((yield* refusal(folder.file("missing/a.db"))).reason, "Unavailable")
      mkdirSync(folder.file("directory"))
      assert.strictEqual((yield* refusal(folder.file("directory"))).reason, "Unavailable")
    }))

  it.scoped("follows a link to the file", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      symlinkSync(folder.file("real.db"), folder.file("link.db"))
      yield* open(folder.file("link.db"))
      assert.isTrue(existsSync(folder.file("real.db")))
    }))

  it.scoped("waits for a process that has the file to itself, then gives up", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("a.db")
      yield* open(filename)
      const other = yield* Process.onDatabase(
        filename,
        "db.pragma('locking_mode = EXCLUSIVE'); db.exec('BEGIN EXCLUSIVE'); ready(); db.exec('ROLLBACK'); db.close()"
      )
      const { reason, transient } = yield* refusal(filename, { busyTimeout: "100 millis" })
      assert.deepStrictEqual([reason, transient], ["Locked", true])
      const [opened] = yield* Effect.all([Effect.exit(open(filename)), other.goOn], { concurrency: 2 })
      assert.strictEqual(opened._tag, "Success")
    }))

  it.scoped("migrates once when two processes start at the same time", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("a.db")
      // Long enough for both to have loaded, or it would not be a race but a queue; either way both must open.
      const at = String(Date.now() + 2000)
      const printed = yield* Effect.forEach(
        ["ada", "bob"],
        (name) => Process.run(new URL("./openAndCount.ts", import.meta.url), [filename, at, name]),
        { concurrency: 2 }
      )
      assert.deepStrictEqual(printed, ["Created", "Created"])
      const db = new Sqlite(filename)
      assert.strictEqual(db.prepare("SELECT count(*) FROM perdure_migrations").pluck().get(), migrations.length)
      assert.strictEqual(db.prepare("SELECT count(*) FROM perdure_runs").pluck().get(), 2)
      db.close()
    }))

  it.scoped("migrates once when several layers in one process start at the same time", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("a.db")
      yield* Effect.all(Array.from({ length: 8 }, () => open(filename)), { concurrency: "unbounded" })
    }))

  it.scoped("the schema is the one that is on record", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      yield* open(folder.file("a.db"))
      const db = new Sqlite(folder.file("a.db"))
      const schema =
        db.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
          .pluck().all().join(";\n\n") + ";\n"
      db.close()
      const golden = fileURLToPath(new URL("./schema.sql", import.meta.url))
      if (process.env["UPDATE_SCHEMA"] === "1") {
        writeFileSync(golden, schema)
      }
      // A difference here is a migration to be added, never one to be changed: UPDATE_SCHEMA=1 records it.
      assert.strictEqual(schema, readFileSync(golden, "utf8"))
    }))
})
