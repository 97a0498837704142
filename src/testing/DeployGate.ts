/**
 * The gate of a deployment: replays the runs of a store with the workflows of a module, on all cores (row N7).
 *
 * ```
 *   store ──▶ run ids ──▶ batches ──▶ processes, each with the module and the store ──▶ Report
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fork } from "node:child_process"
import * as os from "node:os"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import type { NamespaceNotFound } from "../persistence/Namespaces.js"
import * as SqliteStore from "../persistence/sqlite/SqliteStore.js"
import type { StoreError } from "../persistence/Store.js"
import type { Answer, Batch, Task } from "./gate/Protocol.js"
import { ReplayError } from "./gate/Protocol.js"
import * as Replayer from "./Replayer.js"

/**
 * What to replay, and with what.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A JavaScript module, by its path or URL, that exports the Layers of its workflows, in any exports, alone or in lists. */
  readonly module: string | URL
  /** The SQLite file of the runs. */
  readonly store: string
  /** The namespace of the runs (row X1). Default: `default`. */
  readonly namespace?: string | undefined
  /** Closed runs to replay as well, in all: completed ones first, the newest of them first. Default 0. */
  readonly closed?: number | undefined
  /** Default: as many as there are cores, and no more than there are runs to fill them. */
  readonly processes?: number | undefined
  /** Called as runs are through. */
  readonly onProgress?: ((sofar: Replayer.Progress) => void) | undefined
}

/**
 * The question could not be asked: the module cannot be loaded or exports no Layer, or a process died.
 *
 * @category errors
 * @since 0.1.0
 */
export class GateError extends Schema.TaggedError<GateError>()("GateError", {
  module: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.module}: ${this.reason}`
  }
}

/**
 * Replays all open runs of a store, and some of the closed ones, with the workflows that a module exports. Changes
 * nothing in the store, and may run beside its workers: what they add meanwhile is not looked at.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = (
  options: Options
): Effect.Effect<Replayer.Report, GateError | StoreError | NamespaceNotFound> =>
  Effect.gen(function*() {
    const runIds = yield* Replayer.runsToCheck(options.closed ?? 0).pipe(
      Effect.provide(SqliteStore.layer({ filename: options.store, namespace: options.namespace }))
    )
    const batches = Array.from(
      { length: Math.ceil(runIds.length / batchRuns) },
      (_, index) => runIds.slice(index * batchRuns, (index + 1) * batchRuns)
    )
    const failed: Array<Replayer.Failed> = []
    let replayed = 0
    // Even without a run the module is loaded once: one that does not is no code to deploy.
    const processes = Math.max(1, Math.min(options.processes ?? os.availableParallelism(), batches.length))
    const take = (answer: Extract<Answer, { readonly _tag: "Replayed" }>, batch: Batch): void => {
      replayed += batch.length
      for (const { error, runId } of answer.failed) failed.push({ runId, error: decode(error) })
      options.onProgress?.({ replayed, failed: failed.length, of: runIds.length })
    }
    const task: Task = { module: urlOf(options.module), store: options.store, namespace: options.namespace }
    const refuse = (reason: string) => new GateError({ module: String(options.module), reason })
    yield* Effect.all(Array.from({ length: processes }, () => replayer(task, batches, take, refuse)), {
      concurrency: "unbounded",
      discard: true
    })
    return { replayed, failed }
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** So few that processes end together, so many that the way between them costs nothing beside the replay. */
const batchRuns = 32

const decode = Schema.decodeSync(ReplayError)

const urlOf = (module: string | URL): string =>
  module instanceof URL || module.startsWith("file:") ? String(module) : pathToFileURL(Path.resolve(module)).href

/** As this file: compiled, or the source under a loader, which a process inherits and a thread does not. */
const entry = new URL(import.meta.url.endsWith(".ts") ? "./gate/process.ts" : "./gate/process.js", import.meta.url)

/** Takes batches from the list until none is left. */
const replayer = (
  task: Task,
  batches: Array<Batch>,
  take: (answer: Extract<Answer, { readonly _tag: "Replayed" }>, batch: Batch) => void,
  refuse: (reason: string) => GateError
): Effect.Effect<void, GateError> =>
  Effect.async<void, GateError>((resume) => {
    const child = fork(entry, [JSON.stringify(task)])
    let batch: Batch = []
    // It only reads; and what its module keeps open must not keep it alive.
    const end = (result: Effect.Effect<void, GateError>): void => {
      child.kill("SIGKILL")
      resume(result)
    }
    const next = (): void => {
      const taken = batches.shift()
      if (taken === undefined) return end(Effect.void)
      batch = taken
      child.send([...taken])
    }
    child.on("message", (answer: Answer) => {
      switch (answer._tag) {
        case "Refused":
          return end(refuse(answer.reason))
        case "Replayed":
          take(answer, batch)
          return next()
        case "Ready":
          return next()
      }
    })
    child.on("error", (error) => resume(refuse(`its process could not begin: ${error.message}`)))
    child.on("exit", (code, signal) => resume(refuse(`its process ended with ${signal ?? code}`)))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
