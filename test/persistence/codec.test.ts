/**
 * Goal: every payload goes through the codecs, on its way out and back, and nothing else does (row N5).
 *
 * Method: a secret in each payload of arbitrary events, and a store's calls with codecs over it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { PayloadCodec } from "perdure"
import type { Event } from "../../src/core/Event.js"
import * as Events from "../../src/core/Event.js"
import { Coding } from "../../src/persistence/codec/Coding.js"
import { nobody } from "../../src/persistence/codec/Owners.js"
import { event } from "../core/arbitrary.js"
import * as Folder from "./Folder.js"

const keys = { old: randomBytes(32), new: randomBytes(32) }
const encryption = PayloadCodec.encryption({ keys, current: "new" })
const coding = (...codecs: ReadonlyArray<PayloadCodec.PayloadCodec>) => new Coding({ codecs, failureMessages: true })
const run = <A>(effect: Effect.Effect<A, unknown>) => Effect.runSync(effect as Effect.Effect<A>)

const secret = "the secret itself"
const payloads = new Set(["input", "result", "error", "details", "lastResult", "lastHeartbeat", "message", "stack"])

/** Secrets in all that an author wrote, attributes aside. */
const withSecrets = (node: unknown, inMemo = false): unknown => {
  if (Array.isArray(node)) return node.map((each) => withSecrets(each, inMemo))
  if (typeof node !== "object" || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (payloads.has(key) || (inMemo && key === "value")) return [key, `${secret} ${JSON.stringify(value)}`]
      return [
        key,
        key === "searchAttributes" || key === "attributes"
          ? value
          : withSecrets(value, key === "memo" || key === "fields")
      ]
    })
  )
}

const of = (runId: string) => ({ ...nobody, runId })

describe("codecs", () => {
  it("encode every payload of every event, and give it back", () => {
    const all = coding(PayloadCodec.compression({ minimumBytes: 10 }), encryption)
    FastCheck.assert(
      FastCheck.property(event, (one) => {
        const text = Events.encode([withSecrets(one) as Event])
        const encoded = run(all.encode(text, of("run-1")))
        assert.notInclude(encoded, secret)
        assert.include(encoded, `"_tag":"${one._tag}"`)
        assert.strictEqual(run(all.decode(encoded, of("run-1"))), text)
      }),
      { numRuns: 300 }
    )
  })

  it("leave search attributes, names and ids as they are", () => {
    const started = {
      _tag: "ExecutionStarted",
      workflow: "W",
      workflowId: "w",
      taskQueue: "q",
      searchAttributes: [{ name: "region", type: "keyword", value: "eu" }],
      memo: [{ name: "note", value: secret }]
    } as const
    const encoded = run(coding(encryption).encode(Events.encode([started]), of("r")))
    assert.notInclude(encoded, secret)
    for (const plain of ["\"value\":\"eu\"", "\"workflowId\":\"w\"", "\"name\":\"note\""]) {
      assert.include(encoded, plain)
    }
  })

  it("are undone in reverse, and each only where it was done", () => {
    const done: Array<string> = []
    const step = (name: string, does: boolean): PayloadCodec.PayloadCodec => ({
      name,
      encode: (bytes) => Effect.sync(() => does ? (done.push(`+${name}`), { bytes }) : undefined),
      decode: ({ bytes }) => Effect.sync(() => (done.push(`-${name}`), bytes))
    })
    const all = coding(step("a", true), step("b", false), step("c", true))
    run(all.decode(run(all.encode("[{\"input\":1}]", of("r"))), of("r")))
    assert.deepStrictEqual(done, ["+a", "+c", "-c", "-a"])
  })

  it("may be added and taken away: a value says what was done to it", () => {
    const text = "[{\"input\":{\"a\":1}}]"
    assert.strictEqual(run(coding(encryption).decode(text, of("r"))), text)
    const encoded = run(coding(encryption).encode(text, of("r")))
    const error = run(Effect.flip(coding().decode(encoded, of("r"))))
    assert.match(String((error as Error).message), /input of run r: codec aes-256-gcm: it is not among the codecs/)
  })

  it("take no value of an author for an encoded one", () => {
    const text = JSON.stringify([{ input: { "perdure/encoded": [], data: "" } }])
    const all = coding()
    assert.strictEqual(run(all.decode(run(all.encode(text, of("r"))), of("r"))), text)
  })
})

describe("encryption", () => {
  const text = `[{"input":"${secret}"}]`
  const refused = (other: PayloadCodec.PayloadCodec, encoded: string) =>
    String((run(Effect.flip(coding(other).decode(encoded, of("run-1")))) as Error).message)

  it("reads what earlier keys wrote, and writes with the current one", () => {
    const before = run(
      coding(PayloadCodec.encryption({ keys: { old: keys.old }, current: "old" })).encode(text, of("r"))
    )
    assert.strictEqual(run(coding(encryption).decode(before, of("r"))), text)
    assert.include(run(coding(encryption).encode(text, of("r"))), "\"key\":\"new\"")
    assert.notStrictEqual(run(coding(encryption).encode(text, of("r"))), run(coding(encryption).encode(text, of("r"))))
  })

  it("names the key and the run where the key is missing or wrong, or the value was changed", () => {
    const encoded = run(coding(encryption).encode(text, of("run-1")))
    assert.match(
      refused(PayloadCodec.encryption({ keys: { old: keys.old }, current: "old" }), encoded),
      /input of run run-1: codec aes-256-gcm: it was encrypted with key new, which is not among those given: old/
    )
    assert.match(
      refused(PayloadCodec.encryption({ keys: { new: keys.old }, current: "new" }), encoded),
      /run-1: codec aes-256-gcm: key new does not open it/
    )
    const moved = encoded.replace("\"input\"", "\"result\"")
    assert.match(refused(encryption, moved), /key new does not open it/)
  })

  it("takes keys of 32 bytes, and a current one among them", () => {
    assert.throws(() => PayloadCodec.encryption({ keys: { a: randomBytes(16) }, current: "a" }), /16 bytes/)
    assert.throws(() => PayloadCodec.encryption({ keys: {}, current: "a" }), /current key a is not given/)
  })
})

describe("a claim check", () => {
  it.scoped("keeps large values in files, each once, and small ones where they are", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const all = coding(PayloadCodec.claimCheck(PayloadCodec.directory(folder.file("large")), { bytesMax: 1_000 }))
      const large = `[{"input":"${"x".repeat(5_000)}"},{"input":"small"},{"result":"${"x".repeat(5_000)}"}]`
      const encoded = yield* all.encode(large, of("r"))
      assert.isBelow(encoded.length, 700)
      assert.include(encoded, "\"input\":\"small\"")
      assert.strictEqual(yield* all.decode(encoded, of("r")), large)
      const files = fs.readdirSync(folder.file("large"), { recursive: true, withFileTypes: true }).filter((f) =>
        f.isFile()
      )
      assert.lengthOf(files, 1)
      fs.writeFileSync(`${files[0]!.parentPath}/${files[0]!.name}`, "other")
      assert.match(
        String(yield* Effect.flip(all.decode(encoded, of("r")))),
        /claim-check: the file of payload .* was changed/
      )
    }))
})
