/**
 * Versions of workers: which build of the code a run is on (row V6).
 *
 *   a turn by a worker of another version than the last one ──▶ VersionAssigned, ahead of all else in that turn
 *
 * 1. The event stands behind ExecutionStarted in a first turn, and first in any other; no command becomes one.
 * 2. A run that only workers without a version have had has none.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * A build of the code of a deployment.
 *
 * @category models
 * @since 0.1.0
 */
export const Version = Schema.Struct({ deployment: Schema.String, buildId: Schema.String })
/** @since 0.1.0 */
export type Version = typeof Version.Type

/**
 * What becomes of a run when another version is made current: "Pinned", it stays with its build until it ends;
 * "AutoUpgrade", it moves at its next turn.
 *
 * @category models
 * @since 0.1.0
 */
export const Behavior = Schema.Literal("Pinned", "AutoUpgrade")
/** @since 0.1.0 */
export type Behavior = typeof Behavior.Type

/**
 * What takes the place of the behaviour that a run has by its code: it is pinned to the version, or moves.
 *
 * @category models
 * @since 0.1.0
 */
export const Override = Schema.Struct({ behavior: Behavior, version: optional(Version) })
/** @since 0.1.0 */
export type Override = typeof Override.Type

/** What a start says of versions. @since 0.1.0 */
export const versioning = {
  override: optional(Override),
  /** The run is pinned there from the beginning, as its parent or the run before it is. */
  inherited: optional(Version)
}

/** The turn was taken by a worker of this version, or without one. @category models @since 0.1.0 */
export const VersionAssigned = Schema.TaggedStruct("VersionAssigned", {
  version: optional(Version),
  behavior: optional(Behavior)
})
/** @since 0.1.0 */
export type VersionAssigned = typeof VersionAssigned.Type

/** @category models @since 0.1.0 */
export const events = [VersionAssigned] as const

/** What a run's state keeps of this family. @since 0.1.0 */
export interface Slice {
  version: Version | undefined
  behavior: Behavior | undefined
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ version: undefined, behavior: undefined })

/** @since 0.1.0 */
export const evolve = {
  VersionAssigned: (state: Slice, { behavior, version }: VersionAssigned): void => {
    state.version = version
    state.behavior = behavior
  }
}

/** What is wrong with a version, if anything is. @since 0.1.0 */
export const fault = ({ buildId, deployment }: Version): string | undefined =>
  !isName(deployment) || deployment.includes(":")
    ? "deployment must have 1 to 200 characters, and no colon"
    : isName(buildId)
    ? undefined
    : "buildId must have 1 to 200 characters"

const isName = (text: string): boolean => text.length > 0 && text.length <= 200

/** Whether two are the same. @since 0.1.0 */
export const same = (one: Version | undefined, other: Version | undefined): boolean =>
  one === other || one !== undefined && other !== undefined && one.buildId === other.buildId &&
    one.deployment === other.deployment

/** One text for each version: a deployment's name has no colon in it. @since 0.1.0 */
export const keyOf = ({ buildId, deployment }: Version): string => `${deployment}:${buildId}`

/** @since 0.1.0 */
export const ofKey = (key: string): Version | undefined => {
  const colon = key.indexOf(":")
  return colon < 0 ? undefined : { deployment: key.slice(0, colon), buildId: key.slice(colon + 1) }
}

/** What a turn with these events recorded. @since 0.1.0 */
export const assignedIn = (events: ReadonlyArray<{ readonly _tag: string }>): VersionAssigned | undefined =>
  events.find((event): event is VersionAssigned => event._tag === "VersionAssigned")

/** Adds the event to those of a turn, at its place. @since 0.1.0 */
export const among = <E extends { readonly _tag: string }>(
  events: ReadonlyArray<E>,
  assigned: VersionAssigned
): ReadonlyArray<E | VersionAssigned> =>
  events[0]?._tag === "ExecutionStarted" ? [events[0], assigned, ...events.slice(1)] : [assigned, ...events]
