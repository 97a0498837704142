/**
 * The contract on a store with codecs over it: it is a store as any other (row N5).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import { PayloadCodec } from "perdure"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { Store } from "../../src/persistence/Store.js"
import { done, first, now, turn, turns } from "./contract/Samples.js"
import { suite } from "./contract/Store.suite.js"

const codecs = PayloadCodec.layer([
  PayloadCodec.compression({ minimumBytes: 8 }),
  PayloadCodec.encryption({ keys: { k: randomBytes(32) }, current: "k" })
])
const encoded = <E>(store: Layer.Layer<Store, E>) => codecs.pipe(Layer.provide(store))
const layer = encoded(SqliteStore.layer({ filename: ":memory:" }))

suite("SqliteStore under codecs", layer)

describe("a store under codecs", () => {
  it.effect("knows a commit again that it encoded, though no key writes the same text twice (N5, I2)", () =>
    Effect.gen(function*() {
      const ada = { id: "ada", leaseUntil: now + 1_000, identity: "{}", startedAt: now }
      yield* Effect.flatMap(Store, (store) => store.register(ada))
      yield* done([first("r1")])
      const events = JSON.stringify([{ _tag: "SignalReceived", name: "note", input: "a secret that is long enough" }])
      const signaled = [turn("r1", 2, { history: { turn: 2, at: now + 2, format: 1, events } })]
      yield* done(signaled)
      // Its answer was lost: what is in is answered, and not met as somebody else's turn.
      yield* done(signaled, { again: true })
      assert.deepStrictEqual(yield* turns("r1"), [1, 2])
    }).pipe(Effect.provide(layer)))

  it.effect("hands on neither the outcome of a transactional activity nor a revised heartbeat in the clear (N5, I9)", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const watched = Layer.effect(
        Store,
        Effect.map(Store, (store): Store["Type"] => ({
          ...store,
          settleWith: (_, work) =>
            Effect.map(work(Context.empty()), ({ body }) => {
              written.push(body)
              return true
            }),
          reviseTask: ({ heartbeat }) => Effect.sync(() => written.push(String(heartbeat)) > 0)
        }))
      ).pipe(Layer.provide(SqliteStore.layer({ filename: ":memory:" })))
      const attempt = { runId: "r1", seq: 1, attempt: 1 }
      const body = JSON.stringify({
        _tag: "ActivityOutcome",
        outcome: { _tag: "ActivityCompleted", seq: 1, attempt: 1, result: "a secret result" }
      })
      yield* Effect.provide(
        Effect.flatMap(Store, (store) =>
          Effect.zipRight(
            store.settleWith(
              { ...attempt, worker: "ada", now, committed: () => {} },
              () => Effect.succeed({ runId: "r1", kind: "ActivityOutcome" as const, body })
            ),
            store.reviseTask({
              ...attempt,
              revision: 0,
              from: "queued",
              state: "queued",
              forgotten: 0,
              paused: false,
              dueAt: now,
              expiresAt: undefined,
              heartbeat: `"a secret heartbeat"`,
              options: undefined,
              taskQueue: "q"
            })
          )),
        encoded(watched)
      )
      assert.lengthOf(written, 2)
      for (const text of written) {
        assert.notInclude(text, "secret")
        assert.include(text, "perdure/encoded")
      }
    }))
})
