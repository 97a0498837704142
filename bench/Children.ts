/**
 * Starting a role in a process of its own, and hearing from it.
 *
 * Children run compiled JavaScript with plain Node: under tsx, each closure would be named at run time, which an engine
 * made of closures feels. `--expose-gc` lets a role collect garbage before it reads its memory, and costs nothing else.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fork } from "node:child_process"
import type { Child, Figures, Given, Role, Said } from "./Scenario.js"
import { BenchError } from "./Scenario.js"

interface Message {
  readonly word?: string
  readonly figures?: Figures
  readonly result?: unknown
  readonly failure?: string
}

/** Starts a process; the scope's end kills it. */
export const start = <Args, A>(
  entry: string,
  role: Role<Args, A>,
  given: Omit<Given<Args>, "say">
): Effect.Effect<Child<A>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(() => spawn(entry, role, given)), (child) => child.kill),
    (child) => child as Child<A>
  )

const spawn = (entry: string, { name, scenario }: Role<never, unknown>, given: object): Child<unknown> => {
  const words = new Map<string, Deferred.Deferred<Said, BenchError>>()
  const wordOf = (word: string) => {
    const known = words.get(word) ?? makeDeferred<Said>()
    words.set(word, known)
    return known
  }
  const result = makeDeferred<unknown>()
  const exited = makeDeferred<void>()
  const lost = makeDeferred<never>()
  const fail = (reason: string) => {
    const failure = Effect.fail(new BenchError({ reason: `${scenario}, ${name}: ${reason}` }))
    Deferred.unsafeDone(result, failure)
    Deferred.unsafeDone(lost, failure)
  }

  const begun = performance.now()
  const child = fork(entry, [JSON.stringify({ scenario, role: name, ...given })], {
    execArgv: ["--expose-gc"],
    // The child's output is progress, and not the bench's result.
    stdio: ["ignore", 2, 2, "ipc"]
  })
  child.on("message", (message: Message) => {
    const millis = performance.now() - begun
    if (message.word !== undefined) {
      Deferred.unsafeDone(wordOf(message.word), Effect.succeed({ millis, figures: message.figures ?? {} }))
    } else if (message.failure !== undefined) fail(message.failure)
    else Deferred.unsafeDone(result, Effect.succeed(message.result))
  })
  const ended = (reason: string) => {
    fail(reason)
    Deferred.unsafeDone(exited, Effect.void)
  }
  child.once("error", (error) => ended(error.message))
  child.once("exit", (code, signal) => ended(`ended before it was done (${signal ?? `exit code ${code}`})`))
  return {
    said: (word) =>
      inTime(
        Effect.raceFirst(Deferred.await(wordOf(word)), Deferred.await(lost)),
        `${scenario}, ${name}: did not say ${word}`
      ),
    result: inTime(Deferred.await(result), `${scenario}, ${name}: gave no result`),
    kill: Effect.suspend(() => {
      child.kill("SIGKILL")
      return Effect.ignore(Deferred.await(exited))
    })
  }
}

/** A scenario that takes longer has failed, and should not hold up the others. */
const limit = "2 minutes"

const inTime = <A>(effect: Effect.Effect<A, BenchError>, reason: string): Effect.Effect<A, BenchError> =>
  Effect.timeoutFail(effect, {
    duration: limit,
    onTimeout: () => new BenchError({ reason: `${reason} within ${limit}` })
  })

const makeDeferred = <A>() => Effect.runSync(Deferred.make<A, BenchError>())
