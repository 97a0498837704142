/**
 * Looking for what a worker may take (row V6): what is pinned to its version, and its part of what is not pinned. Each is a
 * search of an index by equality; only during a ramp are the buckets compared, row by row.
 *
 * @since 0.1.0
 */
import type { Share } from "../../core/Routing.js"
import { isWhole } from "../../core/Routing.js"

/** A statement over all that is pinned, or not pinned, and over a part of it. @since 0.1.0 */
export interface Statements {
  readonly whole: string
  readonly part: string
}

/**
 * The statements, made of their text with the condition on the buckets, after the parameters of queue and version.
 *
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  text: (sql: string) => string,
  bucket: string,
  make: (part: string) => string
): Statements => ({ whole: text(make("")), part: text(make(` AND ${bucket} >= ? AND ${bucket} < ?`)) })

/**
 * What is to be asked for a share of each queue: the statements, with their first parameters.
 *
 * @category combinators
 * @since 0.1.0
 */
export const of = (
  { part, whole }: Statements,
  share: Share,
  queues: ReadonlyArray<string>
): ReadonlyArray<readonly [statement: string, params: ReadonlyArray<unknown>]> =>
  queues.flatMap((queue) => {
    const asked: Array<readonly [string, ReadonlyArray<unknown>]> = []
    if (share.pinnedTo !== "") asked.push([whole, [queue, share.pinnedTo]])
    if (isWhole(share)) asked.push([whole, [queue, ""]])
    else if (share.to > share.from) asked.push([part, [queue, "", share.from, share.to]])
    return asked
  })
