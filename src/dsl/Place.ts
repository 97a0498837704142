/**
 * Where in the author's code a command came from. Taken only while a divergence is being traced: a stack costs more
 * than the step it belongs to.
 *
 * @since 0.1.0
 */

let tracing = false

/** Runs with places taken. Synchronous. @since 0.1.0 */
export const trace = <A>(run: () => A): A => {
  tracing = true
  try {
    return run()
  } finally {
    tracing = false
  }
}

/** The stack of the caller of `from`, while tracing. @since 0.1.0 */
export const capture = (from: (...args: never) => unknown): string | undefined => {
  if (!tracing) return undefined
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, from)
  return holder.stack
}
