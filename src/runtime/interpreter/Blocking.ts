/**
 * Cutting code that keeps the thread: a plain loop in a body, which no budget of operations sees.
 *
 * JavaScript is not preempted from within. A thread beside it can end what runs, whatever that catches; Node's `vm` does
 * so for a script with a timeout, and costs a thread, some 70 microseconds, each time.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Inspector from "node:inspector"
import { createRequire } from "node:module"
import * as vm from "node:vm"
import { currentFiber } from "./EffectInternals.js"
import { keptTheThread, RunawayTurn } from "./TurnFailure.js"

/**
 * Runs it, for so long at most; beyond, it is ended where it is, and this throws `RunawayTurn`. No handler, no finalizer
 * and no `finally` of what was ended runs: the caller must not use it further.
 *
 * Without bound while a debugger is attached: a breakpoint keeps the thread, too.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within = (millisMax: number, run: () => void): void => {
  if (isDebugged()) return run()
  const outer = slot[key]
  const before = Fiber.getCurrentFiber()
  slot[key] = run
  try {
    script.runInThisContext({ timeout: millisMax, displayErrors: false })
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown } | null)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw thrown
    const span = Option.getOrUndefined(Fiber.getCurrentFiber())?.currentSpan
    const place = span?._tag === "Span" ? span.name : undefined
    // The fiber that was ended had no time to hand this back.
    currentFiber.set(Option.getOrNull(before))
    throw new RunawayTurn({ bound: keptTheThread, limit: millisMax, place })
  } finally {
    slot[key] = outer
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const isDebugged = (): boolean => {
  try {
    return (createRequire(import.meta.url)("node:inspector") as typeof Inspector).url() !== undefined
  } catch {
    // No debugger in this build of Node.
    return false
  }
}

const key = Symbol.for("perdure/Blocking")
const slot = globalThis as { [key]?: (() => void) | undefined }
const script = new vm.Script(`globalThis[Symbol.for("${key.description}")]()`, { filename: "perdure-turn.js" })
