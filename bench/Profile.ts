/**
 * A CPU profile of what is measured, and of nothing before or after it: into the folder that BENCH_PROFILE names, to be
 * opened in the developer tools of Chrome. Figures of a run that is profiled are not to be trusted.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as inspector from "node:inspector"
import * as Path from "node:path"

const folder = process.env["BENCH_PROFILE"]

/** Milliseconds between two samples are too many for what lasts half a second. */
const samplingMicros = 200

export const profiled = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  folder === undefined ? effect : Effect.acquireUseRelease(begin, () => effect, (session) => end(session, folder))

const begin = Effect.sync(() => {
  const session = new inspector.Session()
  session.connect()
  session.post("Profiler.enable")
  session.post("Profiler.setSamplingInterval", { interval: samplingMicros })
  session.post("Profiler.start")
  return session
})

const end = (session: inspector.Session, folder: string): Effect.Effect<void> =>
  Effect.sync(() =>
    session.post("Profiler.stop", (_error, result) => {
      const { role, scenario } = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>
      fs.mkdirSync(folder, { recursive: true })
      fs.writeFileSync(
        Path.join(folder, `${scenario}-${role}-${process.pid}.cpuprofile`),
        JSON.stringify(result.profile)
      )
      session.disconnect()
    })
  )
