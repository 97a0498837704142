/**
 * Runs that are out of time: ended without their body, whether or not this worker has code for them (row X8).
 *
 * @since 0.1.0
 */
import * as Succession from "../core/Succession.js"
import type { Run } from "../persistence/Store.js"
import type { Reason } from "./ImposedEnd.js"

/** Whether a run is out of time. @since 0.1.0 */
export const isExpired = (run: Pick<Run, "expiresAt">, now: number): boolean =>
  run.expiresAt !== undefined && run.expiresAt <= now

/** The end of a run that is. @since 0.1.0 */
export const timedOut = (now: number): Reason => ({
  status: "TimedOut",
  closing: (started) => ({
    _tag: "ExecutionTimedOut",
    timeout: started === undefined ? "Run" : Succession.expired(started, now)
  })
})
