/**
 * Metrics of bodies: what a body counts is counted when it is live, and not again on each replay (row W3).
 *
 * Effect keeps one hook a metric, for the whole process, and metrics hold on to theirs. So each hook asks here before it
 * counts; a turn never gives up the thread, so that what is silenced for its length is that body's alone.
 *
 * @since 0.1.0
 */
import { metricRegistry } from "./EffectInternals.js"

let silent = false

/** Runs with or without metrics; gives back what was set before, for whoever ends it. @since 0.1.0 */
export const silence = (on: boolean): boolean => {
  const before = silent
  silent = on
  return before
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Hook {
  update: (input: unknown) => void
  modify: (input: unknown) => void
}

const asking = new WeakSet<Hook>()

const ask = (hook: Hook): Hook => {
  if (asking.has(hook)) return hook
  asking.add(hook)
  const { modify, update } = hook
  hook.update = (input) => {
    if (!silent) update(input)
  }
  hook.modify = (input) => {
    if (!silent) modify(input)
  }
  return hook
}

// Metrics that were used before this file was loaded have their hooks already; later ones come by one of these.
for (const [, hook] of metricRegistry.map) ask(hook as Hook)
for (const method of ["getCounter", "getGauge", "getFrequency", "getHistogram", "getSummary", "get"] as const) {
  const make = metricRegistry[method].bind(metricRegistry) as (key: never) => unknown
  metricRegistry[method] = (key: never) => ask(make(key) as Hook)
}
