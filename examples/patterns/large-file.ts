/**
 * A long activity that goes on where its last attempt was: each heartbeat says how far it has come.
 *
 *   Import: line 1 ... line 400 ─ heartbeat ─ ╳ the worker dies ──▶ next attempt: line 401 ...
 *
 * Without heartbeats a dead worker is noticed after the hour that the import may take; with them, after ten seconds.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export const Import = Activity.make("Import", {
  payload: { file: Schema.String, lines: Schema.Int },
  success: Schema.Int,
  startToCloseTimeout: "1 hour",
  heartbeatTimeout: "10 seconds"
})

export const ImportFile = Workflow.make("ImportFile", {
  payload: { file: Schema.String, lines: Schema.Int.pipe(Schema.between(1, 2_000)) },
  success: Schema.Int
})

export const ImportFileLive = ImportFile.toLayer((file) => Import.execute(file))

const linesABeat = 100

/** Takes lines in; one that was taken in twice, since the worker died before its heartbeat, must do no harm. */
export const importer = (takeIn: (line: number) => Effect.Effect<void>) =>
  Import.toLayer(Effect.fn(function*({ lines }) {
    const from = (yield* Effect.orDie(Activity.lastHeartbeat(Schema.Int))) ?? 0
    for (let line = from + 1; line <= lines; line++) {
      yield* takeIn(line)
      if (line % linesABeat === 0) yield* Activity.heartbeat(line)
    }
    return lines
  }))

let dies = true
export const hosts = [
  ImportFileLive,
  importer((line) => {
    if (line < 450 || !dies) return Effect.void
    dies = false
    return Effect.die(new Error("the disk was unplugged"))
  })
] as const

export const play = Effect.flatMap(Client, (client) => client.execute(ImportFile, { file: "orders.csv", lines: 1_000 }))
