import type { SqlClient } from "@effect/sql/SqlClient"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { Archive, type PayloadCodec } from "perdure"
import {
  type Namespace,
  type NamespaceNotFound,
  type NamespaceRefused,
  type Namespaces,
  SqliteStore,
  type Store,
  type StoreError
} from "perdure/sqlite"
import { describe, expect, it } from "tstyche"

declare const namespaces: Namespaces["Type"]
declare const options: SqliteStore.Options

describe("SqliteStore.layer", () => {
  it("can only miss a namespace that was named", () => {
    expect(SqliteStore.layer({ filename: "a.db" })).type.toBe<
      Layer.Layer<Store | Namespaces | SqlClient, StoreError>
    >()
    expect(SqliteStore.layer({ filename: "a.db", namespace: "billing" })).type.toBe<
      Layer.Layer<Store | Namespaces | SqlClient, StoreError | NamespaceNotFound>
    >()
    expect(SqliteStore.layer(options)).type.toBe<
      Layer.Layer<Store | Namespaces | SqlClient, StoreError | NamespaceNotFound>
    >()
  })

  it("takes an archive", () => {
    expect(SqliteStore.layer).type.toBeCallableWith({ filename: "a.db", archive: Archive.directory("archive") })
    expect(SqliteStore.layer).type.not.toBeCallableWith({ filename: "a.db", archive: "archive" })
    expect(Archive.decode("{}", [])).type.toBe<Effect.Effect<string, PayloadCodec.PayloadCodecError>>()
  })
})

describe("Namespaces", () => {
  it("say what may go wrong", () => {
    expect(namespaces.create("billing", { retention: "30 days", archived: true })).type.toBe<
      Effect.Effect<Namespace, NamespaceRefused | StoreError>
    >()
    expect(namespaces.update("billing", { retention: "30 days" })).type.toBe<
      Effect.Effect<Namespace, NamespaceNotFound | NamespaceRefused | StoreError>
    >()
    expect(namespaces.describe("billing")).type.toBe<Effect.Effect<Namespace, NamespaceNotFound | StoreError>>()
    expect(namespaces.create).type.not.toBeCallableWith("billing", { retention: "soon" })
    expect<Namespace["retention"]>().type.toBe<Duration.Duration>()
  })
})
