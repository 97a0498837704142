/**
 * Archives as files, and what becomes of runs when a worker dies between its archive and its deletion (X1).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as Path from "node:path"
import type { ArchivedRun } from "../../src/persistence/Archive.js"
import { directory } from "../../src/persistence/DirectoryArchive.js"
import { Namespaces } from "../../src/persistence/Namespaces.js"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { Store } from "../../src/persistence/Store.js"
import { done, first, last, now, staffed } from "./contract/Samples.js"
import * as Folder from "./Folder.js"

const day = 86_400_000

const run = (runId: string): ArchivedRun => ({
  namespace: "billing",
  runId,
  workflowId: "w",
  workflow: "Order",
  status: "Completed",
  startedAt: new Date(now),
  closedAt: new Date("2030-01-31T23:59:59Z"),
  history: "{}\n"
})

/** Names of all files below. */
const files = (path: string): ReadonlyArray<string> =>
  fs.existsSync(path)
    ? fs.readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => Path.relative(path, Path.join(entry.parentPath, entry.name)))
      .sort()
    : []

describe("an archive in a directory", () => {
  it.scoped("has a file a run, by namespace and day, and no other; the same again is the same file (X1)", () =>
    Effect.gen(function*() {
      const path = Path.join((yield* Folder.make).file("archive"), "deep")
      const archive = directory(path)
      yield* Effect.all([archive.put(run("r1")), archive.put(run("r2")), archive.put(run("r1"))], {
        concurrency: "unbounded"
      })
      yield* archive.put(run("../../r3"))
      assert.deepStrictEqual(files(path), [
        "billing/2030-01-31/..%2F..%2Fr3.json",
        "billing/2030-01-31/r1.json",
        "billing/2030-01-31/r2.json"
      ])
      assert.strictEqual(fs.readFileSync(Path.join(path, "billing/2030-01-31/r1.json"), "utf8"), "{}\n")
    }))

  it.scoped("says what is wrong with it, and leaves nothing behind (X1)", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      // Where a directory should be there is a file: nothing can be written, whoever asks.
      fs.writeFileSync(folder.file("archive"), "")
      const failed = yield* Effect.flip(directory(folder.file("archive")).put(run("r1")))
      assert.deepInclude(failed, { _tag: "ArchiveFailed", runId: "r1" })
      assert.match(failed.message, /run r1 was not archived: E(NOTDIR|EXIST)/)
      // What the file's name is taken by cannot be replaced: the half-made one goes.
      const taken = Path.join(folder.file("other"), "billing/2030-01-31/r1.json")
      fs.mkdirSync(Path.join(taken, "x"), { recursive: true })
      yield* Effect.flip(directory(folder.file("other")).put(run("r1")))
      assert.deepStrictEqual(files(folder.file("other")), [])
    }))
})

describe("a worker that archives", () => {
  const closed = (runId: string, at: number) =>
    done([first(runId), last(runId, 2, { close: { status: "Completed", at, refuseIfMail: false } })])

  it.scoped("keeps its runs while the directory takes none, and deletes them once it does (X1)", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const path = folder.file("archive")
      fs.writeFileSync(path, "")
      const context = yield* Layer.build(
        staffed(SqliteStore.layer({ filename: folder.file("a.db"), archive: directory(path) }))
      )
      const store = Context.get(context, Store)
      yield* Context.get(context as Context.Context<Namespaces>, Namespaces).update("default", { retention: "1 day" })
      yield* Effect.provide(Effect.zipRight(closed("r1", now), closed("r2", now + 1)), context)
      const { deleted, kept } = yield* store.sweep(now + 2 * day)
      assert.deepStrictEqual([deleted, kept.map(({ runId }) => runId)], [0, ["r1", "r2"]])
      assert.match(kept[0]!.reason, /ENOTDIR|EEXIST/)
      assert.lengthOf(yield* store.runs({ limit: 9 }), 2)
      fs.rmSync(path)
      assert.deepInclude(yield* store.sweep(now + 2 * day), { deleted: 2, kept: [] })
      assert.lengthOf(yield* store.runs({ limit: 9 }), 0)
      assert.lengthOf(files(path), 2)
    }))

  it.scoped("that dies before it has deleted leaves the file and the run; the next one does both (X1)", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const path = folder.file("archive")
      const archive = directory(path)
      let lives = false
      const opened = yield* Layer.build(staffed(SqliteStore.layer({
        filename: folder.file("a.db"),
        archive: {
          // As a kill would: nothing of what comes after the file is done.
          put: (run) =>
            Effect.zipRight(archive.put(run), Effect.suspend(() => lives ? Effect.void : Effect.die("killed")))
        }
      })))
      const store = Context.get(opened, Store)
      yield* Context.get(opened as Context.Context<Namespaces>, Namespaces).update("default", { retention: "1 day" })
      yield* Effect.provide(closed("r1", now), opened)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(store.sweep(now + 2 * day))))
      const [file] = files(path)
      const text = fs.readFileSync(Path.join(path, file!), "utf8")
      assert.lengthOf(yield* store.history("r1", 0, 9), 2)
      lives = true
      assert.deepInclude(yield* store.sweep(now + 2 * day), { deleted: 1 })
      assert.deepStrictEqual(files(path), [file!])
      assert.strictEqual(fs.readFileSync(Path.join(path, file!), "utf8"), text)
      assert.lengthOf(yield* store.runs({ limit: 9 }), 0)
    }))
})
