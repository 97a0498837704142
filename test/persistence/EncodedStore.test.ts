/**
 * The contract on a store with codecs over it: it is a store as any other (row N5).
 */
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import { PayloadCodec } from "perdure"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { suite } from "./contract/Store.suite.js"

suite(
  "SqliteStore under codecs",
  PayloadCodec.layer([
    PayloadCodec.compression({ minimumBytes: 8 }),
    PayloadCodec.encryption({ keys: { k: randomBytes(32) }, current: "k" })
  ]).pipe(Layer.provide(SqliteStore.layer({ filename: ":memory:" })))
)
