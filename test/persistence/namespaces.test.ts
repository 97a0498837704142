/**
 * Namespaces, and retention in them, on SQLite.
 */
import * as Effect from "effect/Effect"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import * as Namespaces from "./contract/Namespaces.suite.js"
import * as Retention from "./contract/Retention.suite.js"
import * as Folder from "./Folder.js"

const database = Effect.map(
  Folder.make,
  (folder): Namespaces.Opening => (options) =>
    SqliteStore.layer({ filename: folder.file("store.db"), durability: "process-crash", ...options })
)

Namespaces.suite("namespaces of a SQLite file", database)

Retention.suite("retention in a SQLite file", database)
