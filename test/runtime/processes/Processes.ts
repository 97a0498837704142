/**
 * Processes of a test: workers that are started, killed, paused and released, on one file.
 */
import { it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Client, StoreClient } from "perdure"
import { SqliteStore, type Store } from "perdure/sqlite"
import * as Folder from "../../persistence/Folder.js"
import type { Settings } from "./contract.js"

export interface World {
  /** A file that ends with the test. */
  readonly file: (name: string) => string
  /** Starts a worker as a process of its own; it ends with the test. */
  readonly worker: (name: string, settings?: Partial<Settings>) => Effect.Effect<Child, never, Scope.Scope>
  /** Lets orders of 0 end, everywhere. */
  readonly go: () => void
}

export interface Child {
  /** What it printed so far. */
  readonly said: () => string
  /** SIGKILL: no finalizer runs. */
  readonly kill: Effect.Effect<void>
  readonly pause: () => void
  readonly wake: () => void
  /** Lets it end by itself, and waits for that. */
  readonly release: Effect.Effect<void>
}

/**
 * Tests in this process, which has the store's client and no worker: workers are processes that run the given script.
 */
export const tests = (script: URL, duration: Duration.DurationInput = "25 seconds") =>
(
  name: string,
  program: (world: World) => Effect.Effect<void, unknown, Client | Store | Scope.Scope>
): void => {
  it.live(name, () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const filename = folder.file("shared.db")
      const goFile = folder.file("go")
      const world: World = {
        file: folder.file,
        worker: (name, settings = {}) =>
          start(script, {
            name,
            filename,
            taskQueue: "default",
            workflows: true,
            lease: "10 seconds",
            go: goFile,
            ...settings
          }),
        go: () => writeFileSync(goFile, "")
      }
      const Live = StoreClient.layer.pipe(
        Layer.provideMerge(Layer.orDie(SqliteStore.layer({ filename, durability: "process-crash" })))
      )
      yield* Effect.scoped(program(world)).pipe(
        Effect.timeoutFail({
          duration,
          onTimeout: () => new Error("the test waits for what does not come")
        }),
        Effect.provide(Live),
        Logger.withMinimumLogLevel(LogLevel.None)
      )
    }).pipe(Effect.scoped), Duration.toMillis(duration) + 10_000)
}

const root = fileURLToPath(new URL("../../..", import.meta.url))

const start = (script: URL, settings: Settings): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--import", "tsx", fileURLToPath(script), JSON.stringify(settings)], {
          stdio: ["pipe", "pipe", process.env["LOG"] === undefined ? "ignore" : "inherit"],
          // tsx, and with it the meaning of "perdure", is found from the checkout's root.
          cwd: root
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const exited = Effect.async<void>((resume) => {
      if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
      else child.once("exit", () => resume(Effect.void))
    })
    let said = ""
    yield* Effect.async<void>((resume) => {
      child.stdout.on("data", (data) => {
        said += String(data)
        if (said.includes("ready")) resume(Effect.void)
      })
      child.once("exit", (code) => resume(Effect.dieMessage(`worker ${settings.name} ended early with ${code}`)))
    })
    child.removeAllListeners("exit")
    return {
      said: () => said,
      kill: Effect.zipRight(Effect.sync(() => child.kill("SIGKILL")), exited),
      pause: () => child.kill("SIGSTOP"),
      wake: () => child.kill("SIGCONT"),
      release: Effect.zipRight(Effect.sync(() => child.stdin.end()), exited)
    }
  })
