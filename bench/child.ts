/**
 * What each child process runs: one role of one scenario, named in its first argument. It says what it has to say over
 * the channel to the bench, and ends with its result.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type { Given, Scenario } from "./Scenario.js"

const { role: name, scenario: file, ...given } = JSON.parse(process.argv[2] ?? "{}") as Omit<Given<never>, "say"> & {
  readonly scenario: string
  readonly role: string
}

const send = (message: object): Effect.Effect<void> =>
  Effect.async((resume) => void process.send?.(message, () => resume(Effect.void)))

const program = Effect.gen(function*() {
  // Only the scenario's own file is loaded: its imports are part of what a start costs.
  const { scenario } = yield* Effect.promise(
    // Found beside this file when it is run: not for the bundler to follow.
    () => import(String(new URL(`./scenarios/${file}.js`, import.meta.url))) as Promise<{ readonly scenario: Scenario }>
  )
  const role = scenario.roles.find((each) => each.name === name)
  if (role === undefined) return yield* Effect.dieMessage(`scenario ${file} has no role ${name}`)
  return yield* role.run({ ...given, say: (word, figures = {}) => send({ word, figures }) })
}).pipe(
  Effect.scoped,
  Logger.withMinimumLogLevel(LogLevel.Warning),
  Effect.exit,
  Effect.flatMap((exit) =>
    send(
      Exit.isSuccess(exit) ? { result: exit.value } : { failure: Cause.pretty(exit.cause, { renderErrorCause: true }) }
    )
  ),
  Effect.ensuring(Effect.sync(() => process.exit()))
)

// An orphan has nobody to measure for.
process.once("disconnect", () => process.exit(1))
Effect.runFork(program)
