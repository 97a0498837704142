/**
 * Task tokens: the name of one attempt of an activity, for those who complete it from outside (rows A9, A10).
 *
 * @since 0.1.0
 */

/**
 * @category models
 * @since 0.1.0
 */
export interface TaskToken {
  readonly runId: string
  readonly seq: number
  /** As the store counts: no two attempts of an activity have the same. */
  readonly attempt: number
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (runId: string, seq: number, attempt: number): string => `${runId}/${seq}/${attempt}`

/**
 * What a token names; undefined for a text that is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const parse = (token: string): TaskToken | undefined => {
  const match = /^(.+)\/(\d+)\/(\d+)$/.exec(token)
  return match === null ? undefined : { runId: match[1]!, seq: Number(match[2]), attempt: Number(match[3]) }
}
