/**
 * A real second process: a line of plain JavaScript with `better-sqlite3` at hand, which says `ready` and then waits to
 * be told to go on.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

const driver = createRequire(import.meta.url).resolve("better-sqlite3")

/** Runs the script until it calls `ready()`, which waits for `goOn`. It sees `db`, opened on the file. */
export const onDatabase = (file: string, script: string) =>
  start([
    "--eval",
    `
    const db = new (require(${JSON.stringify(driver)}))(${JSON.stringify(file)})
    const ready = () => { console.log("ready"); require("fs").readSync(0, Buffer.alloc(1)) }
    ${script}
  `
  ])

/** Runs a TypeScript file of the tests to its end; gives what it printed. */
export const run = (file: URL, args: ReadonlyArray<string>) =>
  Effect.async<string>((resume) => {
    const child = spawn(process.execPath, [
      "--import",
      "tsx",
      fileURLToPath(file),
      ...args
    ], { stdio: ["ignore", "pipe", "pipe"] })
    let out = ""
    child.stdout.on("data", (data) => out += String(data))
    child.stderr.on("data", (data) => out += String(data))
    child.on("close", () => resume(Effect.succeed(out.trim())))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const start = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    yield* Effect.async<void>((resume) => {
      child.stdout.once("data", () => resume(Effect.void))
      child.once("exit", (code) => resume(Effect.dieMessage(`the second process ended early with ${code}`)))
    })
    /** Lets the script go on after `ready()`, and waits for its end. */
    const goOn = Effect.async<void>((resume) => {
      child.removeAllListeners("exit")
      child.once("exit", () => resume(Effect.void))
      child.stdin.write("\n")
    })
    return { goOn }
  })
