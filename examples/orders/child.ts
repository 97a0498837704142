/**
 * How the demo and the processes that it spawns talk: the child gets its settings as JSON in its first argument, prints
 * one line of JSON once it is ready, and ends when its standard input does. So no child outlives the demo, whichever
 * way that one goes.
 */
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { fileURLToPath } from "node:url"

// -----------------------------------------------------------------------------
// the child's side
// -----------------------------------------------------------------------------

/** Reads the settings that the parent gave. */
export const settings = <A, I>(schema: Schema.Schema<A, I>) =>
  Effect.suspend(() => Schema.decode(Schema.parseJson(schema))(process.argv[2] ?? ""))

/** Tells the parent that the child is ready, and what it needs to know of it. */
export const ready = (message: object): Effect.Effect<void> => Effect.sync(() => console.log(JSON.stringify(message)))

/** Waits until the parent lets the child go, or is gone itself. */
export const released: Effect.Effect<void> = Effect.async((resume) => {
  const release = () => resume(Effect.void)
  process.stdin.once("end", release).once("close", release).resume()
})

// -----------------------------------------------------------------------------
// the parent's side
// -----------------------------------------------------------------------------

/** A child ended before it was ready: its code, or its settings, are at fault. */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", {
  script: Schema.String,
  log: Schema.String
}) {
  override get message(): string {
    return `${this.script} ended before it was ready: see ${this.log}`
  }
}

export interface Child<out A> {
  readonly pid: number
  /** What it said when it was ready. */
  readonly greeting: A
  /** SIGKILL: no finalizer of the child runs. Returns when it is dead. */
  readonly kill: Effect.Effect<void>
  /** Lets it end by itself, and waits for that; false if it does not, and had to be killed. */
  readonly release: Effect.Effect<boolean>
  /** Waits for its end, whatever the cause. */
  readonly exited: Effect.Effect<void>
}

// tsx finds the meaning of "perdure" in the checkout's tsconfig.json, from whatever folder the demo is started.
const tsx = import.meta.resolve("tsx")
const tsconfig = fileURLToPath(new URL("../../tsconfig.json", import.meta.url))

/** How long a child may take to end once it is let go. */
const patience = "15 seconds"

/** Starts a script of this folder and waits until it is ready. What it prints besides goes to the log file. */
export const spawn = <A, I>(script: string, options: {
  readonly settings: object
  readonly greeting: Schema.Schema<A, I>
  readonly log: string
}) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const letGo = yield* Deferred.make<void>()
    const greeting = yield* Deferred.make<A>()
    const decode = Schema.decodeOption(Schema.parseJson(options.greeting))

    const child = yield* Command.make(
      process.execPath,
      "--import",
      tsx,
      fileURLToPath(new URL(script, import.meta.url)),
      JSON.stringify(options.settings)
    ).pipe(
      Command.env({ TSX_TSCONFIG_PATH: tsconfig }),
      Command.stdin(Stream.drain(Stream.fromEffect(Deferred.await(letGo)))),
      Command.start
    )
    const exited = Effect.ignore(child.exitCode)
    const kill = Effect.ignore(child.kill("SIGKILL"))
    // However the demo ends, it does not wait for a child that hangs.
    yield* Effect.addFinalizer(() => Effect.whenEffect(kill, Effect.orDie(child.isRunning)))

    yield* Stream.merge(child.stdout, child.stderr).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        const said = decode(line)
        return said._tag === "Some"
          ? Deferred.succeed(greeting, said.value)
          : files.writeFileString(options.log, `${line}\n`, { flag: "a" })
      }),
      Effect.ignoreLogged,
      Effect.forkScoped
    )

    return {
      pid: child.pid,
      greeting: yield* Deferred.await(greeting).pipe(
        Effect.raceFirst(Effect.zipRight(exited, new NotReady({ script, log: options.log })))
      ),
      kill,
      release: Effect.zipRight(Deferred.succeed(letGo, undefined), exited).pipe(
        Effect.as(true),
        Effect.timeoutTo({ duration: patience, onSuccess: (ended) => ended, onTimeout: () => false }),
        Effect.tap((ended) => ended ? Effect.void : kill)
      ),
      exited
    } satisfies Child<A>
  })
