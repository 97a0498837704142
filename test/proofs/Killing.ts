/**
 * Processes that are killed in the midst of their work.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** Lets a process live for so long after its code is loaded, or until it ends; what it ended with. */
export const live = (
  script: `./run-${string}.ts`,
  database: string,
  millis: number | undefined
): Effect.Effect<number | string | null> =>
  Effect.async((resume) => {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", fileURLToPath(new URL(script, import.meta.url)), database],
      { stdio: ["pipe", "pipe", "inherit"] }
    )
    child.once("exit", (code, signal) => resume(Effect.succeed(signal ?? code)))
    child.stdin.write("\n")
    child.stdout.once("data", () => {
      if (millis !== undefined) setTimeout(() => child.kill("SIGKILL"), millis)
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })
