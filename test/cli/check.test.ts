/**
 * Goal: the deploy gate as it is used, a command that says by its exit code whether code may go over open runs (row N7).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Client, Worker } from "perdure"
import { Namespaces, SqliteStore } from "perdure/sqlite"
import * as Folder from "../persistence/Folder.js"
import { Pack, Parcel, Post } from "./contract.js"
import { layers } from "./workflows.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

const perdure = (...args: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resume) => {
    execFile(
      process.execPath,
      ["--import", "tsx", "src/cli.ts", ...args],
      { cwd: root },
      (error, stdout, stderr) =>
        resume(
          Effect.succeed({
            code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
            stdout,
            stderr
          })
        )
    )
  })

/** A file with open runs of two activities. */
const parcelsOf = (count: number) =>
  Effect.gen(function*() {
    const store = (yield* Folder.make).file("parcels.db")
    const hosts = [
      ...layers,
      Pack.toLayer(() => Effect.succeed("packed")),
      Post.toLayer(() => Effect.succeed("posted"))
    ]
    const worker = Worker.layer({ hosts }).pipe(Layer.provide(SqliteStore.layer({ filename: store })))
    const runId = yield* Effect.gen(function*() {
      const client = yield* Client
      const handles = yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => `p${index}`),
        (workflowId) => client.start(Parcel, undefined, { workflowId })
      )
      for (const handle of handles) {
        yield* Effect.repeat(Effect.delay(handle.describe, "10 millis"), { until: ({ turns }) => turns >= 3 })
      }
      return handles[0]!.runId
    }).pipe(Effect.provide(worker as Layer.Layer<Client>))
    return { store, runId }
  })
const parcels = parcelsOf(1)

describe("perdure check", () => {
  it.scopedLive("lets the same code pass", () =>
    Effect.gen(function*() {
      const { store } = yield* parcels
      const { code, stderr, stdout } = yield* perdure("check", "--module", "test/cli/workflows.ts", "--store", store)
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(stdout, "✓ 1 runs replayed: the code does what their histories say\n")
    }))

  it.scopedLive("stops code that would break an open run, and shows where", () =>
    Effect.gen(function*() {
      const { runId, store } = yield* parcels
      const { code, stdout } = yield* perdure("check", "--module", "test/cli/reordered.ts", "--store", store)
      assert.strictEqual(code, 1)
      assert.include(stdout, runId)
      assert.match(stdout, /recorded: {2}activity Pack #1\n {2}attempted: activity Post #1\n/)
      assert.include(stdout, "1 of 1 runs would break\n")
    }))

  it.scopedLive("shares the runs out to several processes, and misses none", () =>
    Effect.gen(function*() {
      const { store } = yield* parcelsOf(100)
      const on = (module: string) =>
        perdure("check", "--module", `test/cli/${module}.ts`, "--store", store, "--processes", "2")
      const [same, other] = yield* Effect.all([on("workflows"), on("reordered")])
      assert.strictEqual(same.stdout, "✓ 100 runs replayed: the code does what their histories say\n")
      assert.include(other.stdout, "100 of 100 runs would break\n")
      const named = [...other.stdout.matchAll(/Parcel \(run ([-0-9a-f]+)\) does not do/g)].map(([, runId]) => runId)
      assert.strictEqual(new Set(named).size, 100)
    }))

  it.scopedLive("does not pass when a process of it dies", () =>
    Effect.gen(function*() {
      const { store } = yield* parcels
      const { code, stderr } = yield* perdure("check", "--module", "test/cli/exiting.ts", "--store", store)
      assert.strictEqual(code, 2)
      assert.include(stderr, "--module test/cli/exiting.ts: its process ended with 3")
    }))

  it.scopedLive("looks at the namespace that it is told, and knows which there are (X1)", () =>
    Effect.gen(function*() {
      const { store } = yield* parcels
      yield* Effect.provide(
        Effect.flatMap(Namespaces, (namespaces) => namespaces.create("billing")),
        SqliteStore.layer({ filename: store })
      )
      const ask = (namespace: string) =>
        perdure("check", "--module", "test/cli/reordered.ts", "--store", store, "--namespace", namespace)
      const [there, nowhere] = yield* Effect.all([ask("billing"), ask("bilings")], { concurrency: 2 })
      assert.strictEqual(there.code, 0, there.stderr)
      assert.include(there.stdout, "✓ 0 runs replayed")
      assert.strictEqual(nowhere.code, 2)
      assert.match(nowhere.stderr, /--namespace bilings: .* has only: billing, default/)
    }))

  it.scopedLive("says what it was not given", () =>
    Effect.gen(function*() {
      const { store } = yield* parcels
      const refused = (...args: ReadonlyArray<string>) =>
        Effect.map(perdure("check", ...args), ({ code, stderr }) => {
          assert.strictEqual(code, 2, stderr)
          return stderr.split("\n")[0]!
        })
      assert.strictEqual(yield* refused(), "check needs --module and --store")
      assert.match(yield* refused("--modul", "x"), /Unknown option '--modul'/)
      assert.strictEqual(
        yield* refused("--module", "test/cli/workflows.ts", "--store", "nowhere.db"),
        "--store nowhere.db: there is no such file"
      )
      assert.match(
        yield* refused("--module", "test/cli/none.ts", "--store", store),
        /^--module test\/cli\/none\.ts: Cannot find module/
      )
      assert.match(
        yield* refused("--module", "test/cli/workflows.ts", "--store", store, "--closed", "x"),
        /a whole number from 0/
      )
    }))
})
