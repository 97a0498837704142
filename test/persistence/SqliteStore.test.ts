/**
 * The contract on SQLite, in memory and on disk.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { suite } from "./contract/Store.suite.js"
import * as Folder from "./Folder.js"

suite("SqliteStore in memory", SqliteStore.layer({ filename: ":memory:" }))

suite(
  "SqliteStore on disk",
  Layer.unwrapScoped(
    Effect.map(
      Folder.make,
      (folder) => SqliteStore.layer({ filename: folder.file("store.db"), durability: "process-crash" })
    )
  )
)
