/**
 * `perdure check`: may this code be deployed over the runs that are open?
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { parseArgs } from "node:util"
import type { StoreError } from "../persistence/Store.js"
import * as DeployGate from "../testing/DeployGate.js"
import type * as Replayer from "../testing/Replayer.js"

/**
 * The command was not understood, or what it names is not there.
 *
 * @category errors
 * @since 0.1.0
 */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** @since 0.1.0 */
export const usage = `perdure check --module FILE --store FILE [--namespace NAME] [--closed N] [--processes N]

Replays all open runs of a store with the workflows that a module exports, and says which of them the code would break.
Changes nothing. Exits with 0 when all is well, with 1 when a run would break, with 2 when it could not be asked.

  --module FILE     a JavaScript module that exports the Layers of its workflows, in any exports, alone or in lists
  --store FILE      the SQLite file of the runs
  --namespace NAME  the namespace of the runs; default: default
  --closed N        replays up to N closed runs as well; default 0
  --processes N     default: as many as there are cores`

/**
 * Runs the command; gives whether all is well. Prints the report through `print`, and progress through `progress`.
 *
 * @since 0.1.0
 */
export const check = (
  args: ReadonlyArray<string>,
  out: { readonly print: (line: string) => void; readonly progress: (line: string) => void }
): Effect.Effect<boolean, UsageError | StoreError> =>
  Effect.gen(function*() {
    const options = yield* read(args)
    const report = yield* Effect.catchTags(
      DeployGate.check({ ...options, onProgress: (sofar) => out.progress(progressLine(sofar)) }),
      {
        GateError: ({ reason }) => new UsageError({ reason: `--module ${options.module}: ${reason}` }),
        NamespaceNotFound: ({ known, location, namespace }) =>
          new UsageError({ reason: `--namespace ${namespace}: ${location} has only: ${known.join(", ")}` })
      }
    )
    for (const { error } of report.failed) out.print(`✗ ${error.message}\n`)
    const { failed: { length }, replayed } = report
    out.print(
      length === 0
        ? `✓ ${replayed} runs replayed: the code does what their histories say`
        : `${length} of ${replayed} runs would break`
    )
    return length === 0
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const barChars = 30

/** `██████░░░░  1,200 of 2,000 runs, 1 would break` */
const progressLine = ({ failed, of, replayed }: Replayer.Progress): string => {
  const full = Math.round(barChars * replayed / Math.max(1, of))
  const counts = `${replayed.toLocaleString("en-US")} of ${of.toLocaleString("en-US")} runs`
  return `${"█".repeat(full)}${"░".repeat(barChars - full)}  ${counts}${failed === 0 ? "" : `, ${failed} would break`}`
}

const read = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { values } = yield* Effect.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: {
            module: { type: "string" },
            store: { type: "string" },
            namespace: { type: "string" },
            closed: { type: "string", default: "0" },
            processes: { type: "string" }
          }
        }),
      catch: (error) => new UsageError({ reason: error instanceof Error ? error.message : String(error) })
    })
    const { closed, module, namespace, store, processes } = values
    if (module === undefined || store === undefined) {
      return yield* new UsageError({ reason: "check needs --module and --store" })
    }
    if (!/^\d+$/.test(closed)) return yield* new UsageError({ reason: `--closed ${closed}: a whole number from 0` })
    if (processes !== undefined && !/^[1-9]\d*$/.test(processes)) {
      return yield* new UsageError({ reason: `--processes ${processes}: a whole number from 1` })
    }
    // Opening it would create it, and find no run in it.
    if (!fs.existsSync(store)) return yield* new UsageError({ reason: `--store ${store}: there is no such file` })
    return {
      module,
      store,
      namespace,
      closed: Number(closed),
      processes: processes === undefined ? undefined : Number(processes)
    }
  })
