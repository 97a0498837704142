#!/usr/bin/env node
/**
 * The command line: `npx perdure check`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { check, usage } from "./cli/Check.js"

const [command, ...args] = process.argv.slice(2)

/** One line that is written over, for people; nothing where nobody looks. */
const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${line}\x1b[K${line.startsWith("█".repeat(30)) ? "\n" : ""}`)
}

const program = command === "check"
  ? Effect.map(
    check(args, { print: (line) => console.log(line), progress }),
    (well) => well ? 0 : 1
  )
  : Effect.sync(() => {
    console.error(usage)
    return command === undefined || command === "--help" || command === "help" ? 0 : 2
  })

process.exitCode = await Effect.runPromise(
  Effect.catchAll(program, (error) =>
    Effect.sync(() => {
      console.error(error._tag === "UsageError" ? `${error.message}\n\n${usage}` : error.message)
      return 2
    }))
)
