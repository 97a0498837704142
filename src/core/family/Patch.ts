/**
 * Patches: changes of a body's code that runs from before it must not meet (rows V1 to V3).
 *
 *   MarkPatch ──▶ PatchMarked            once a run and id: its code took the new way there
 *
 * 1. The marker stands in the turn that asked first. A run whose history has none there took the old way, for ever.
 * 2. A deprecated marker may be in a history whose code asks no more. Any other must be asked for (row V2).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** @category models @since 0.1.0 */
export const PatchMarked = Schema.TaggedStruct("PatchMarked", {
  id: Schema.String,
  deprecated: optional(Schema.Literal(true))
})
/** @since 0.1.0 */
export type PatchMarked = typeof PatchMarked.Type

/** @category models @since 0.1.0 */
export const events = [PatchMarked] as const

/** @category models @since 0.1.0 */
export interface MarkPatch {
  readonly _tag: "MarkPatch"
  readonly id: string
  readonly deprecated: boolean
}

/** @since 0.1.0 */
export type Command = MarkPatch

/** @since 0.1.0 */
export const evolve = {
  /** The answers are the body's to keep: whatever brings it back asks again. */
  PatchMarked: (_state: unknown, _event: PatchMarked): void => {}
}

/** @since 0.1.0 */
export const decide = {
  MarkPatch: ({ deprecated, id }: MarkPatch): PatchMarked => ({
    _tag: "PatchMarked",
    id,
    ...(deprecated ? { deprecated } : {})
  })
}

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  PatchMarked: {
    // Whether it is deprecated may change while the run is open: that is what deprecating is for.
    same: (recorded: PatchMarked, attempted: PatchMarked): boolean => recorded.id === attempted.id,
    describe: (event: PatchMarked): string => `patch ${event.id}${event.deprecated === true ? " (deprecated)" : ""}`,
    mayLack: (event: PatchMarked): boolean => event.deprecated === true
  }
}
