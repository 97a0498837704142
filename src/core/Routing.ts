/**
 * Routing: which version of its workers a run goes to (row V6). Decisions on data.
 *
 * ```
 *   pinned ─────────────▶ workers of that version, and no others
 *   not pinned ──▶ its bucket, by a hash of its workflow id, 0 to 9,999
 *                    below the ramp ──▶ the ramping version
 *                    above it ────────▶ the current one; without one, workers that have no version
 * ```
 *
 * A bucket is that of the workflow id for ever: as a ramp rises, runs go over and none comes back.
 *
 * @since 0.1.0
 */
import type { Behavior, Override, Slice, Version } from "./family/Version.js"
import * as Versions from "./family/Version.js"

/** @since 0.1.0 */
export const buckets = 10_000

/**
 * Where a deployment sends what is not pinned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Routing {
  readonly deployment: string
  /** The build that gets all but the ramp's part; undefined: workers without a version do. */
  readonly current: string | undefined
  /** The build that gets the buckets below `ramp`. */
  readonly ramping: string | undefined
  /** Buckets, 0 to 10,000. */
  readonly ramp: number
}

/**
 * What a worker may take: what is pinned to its version, and of what is not pinned the buckets from one to another.
 *
 * @category models
 * @since 0.1.0
 */
export interface Share {
  /** The key of its version, "" without one. */
  readonly pinnedTo: string
  /** The first bucket, and the one behind the last; the same: none. */
  readonly from: number
  readonly to: number
}

/** What a worker without a version takes where there is no routing. @since 0.1.0 */
export const unversioned: Share = { pinnedTo: "", from: 0, to: buckets }

/** @since 0.1.0 */
export const isWhole = ({ from, to }: Share): boolean => from === 0 && to === buckets

/**
 * The share of a worker.
 *
 * @category combinators
 * @since 0.1.0
 */
export const shareOf = (routing: Routing | undefined, version: Version | undefined): Share => {
  if (version === undefined && routing === undefined) return unversioned
  const pinnedTo = version === undefined ? "" : Versions.keyOf(version)
  const ramp = routing?.ramping === undefined ? 0 : routing.ramp
  const isOurs = (build: string | undefined): boolean =>
    version === undefined
      ? build === undefined
      : version.deployment === routing?.deployment && version.buildId === build
  const current = isOurs(routing?.current)
  const ramping = routing?.ramping !== undefined && isOurs(routing.ramping)
  return { pinnedTo, from: ramping || !current ? 0 : ramp, to: current ? buckets : ramping ? ramp : 0 }
}

/** Whether a share holds a run. @since 0.1.0 */
export const holds = (share: Share, run: { readonly workflowId: string; readonly pinnedTo?: string | undefined }) =>
  run.pinnedTo !== undefined && run.pinnedTo !== ""
    ? run.pinnedTo === share.pinnedTo
    : isWhole(share) || inPart(share, bucketOf(run.workflowId))

const inPart = ({ from, to }: Share, bucket: number): boolean => bucket >= from && bucket < to

/**
 * The bucket of a workflow id: FNV-1a over its UTF-16 units, mixed so that ids that differ in their ends are far apart.
 *
 * @since 0.1.0
 */
export const bucketOf = (workflowId: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < workflowId.length; i++) hash = Math.imul(hash ^ workflowId.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x7feb352d)
  hash ^= hash >>> 15
  return (hash >>> 0) % buckets
}

/**
 * What is known of the versions of a run: its row's word, and its history's.
 *
 * @category models
 * @since 0.1.0
 */
export interface Standing {
  readonly override?: Behavior | undefined
  /** As its row has it. */
  readonly pinnedTo?: string | undefined
}

/**
 * The key of the version that a run is pinned to, "" for none: an override counts before what its code says, which is
 * known once a worker has had it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pinnedTo = (
  { override, pinnedTo = "" }: Standing,
  { behavior, version }: Partial<Slice>
): string =>
  override !== undefined
    ? override === "Pinned" ? pinnedTo : ""
    : version === undefined
    ? pinnedTo
    : behavior === "Pinned"
    ? Versions.keyOf(version)
    : ""

/** The same of a run that has not begun, as its start says it. @since 0.1.0 */
export const startsAt = (
  { inherited, override }: { readonly override?: Override | undefined; readonly inherited?: Version | undefined }
): string => {
  const version = override === undefined ? inherited : override.version
  return version === undefined ? "" : Versions.keyOf(version)
}

/**
 * What a run hands on to one that it brings about: a child, or the next run of its chain.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handing {
  readonly standing: Standing
  readonly slice: Partial<Slice>
  /** What its own start had inherited. */
  readonly inherited?: Version | undefined
}

/**
 * What the start of the other run says of versions. Both need the same task queue: of another one nobody knows whether it
 * has workers of that version.
 *
 * - A pinned override is handed on to all.
 * - A pinned run hands its version to its children, and to the run that continues it.
 * - To its next attempt it does so only where it had itself been handed one; to the next run of a cron, never.
 *
 * @category combinators
 * @since 0.1.0
 */
export const handedOn = (
  { inherited, slice, standing }: Handing,
  to: "Child" | "Continued" | "Retried" | "Recurring",
  sameQueue: boolean
): { readonly override?: Override; readonly inherited?: Version } => {
  if (!sameQueue) return nothing
  const { override } = standing
  const pinned = Versions.ofKey(pinnedTo(standing, slice))
  const whole = to === "Child" || to === "Continued"
  if (override !== undefined && override === "Pinned") {
    const own = slice.behavior === "Pinned" ? slice.version : undefined
    return {
      ...(pinned === undefined ? {} : { override: { behavior: override, version: pinned } }),
      ...(whole && own !== undefined ? { inherited: own } : {})
    }
  }
  return pinned !== undefined && (whole || to === "Retried" && inherited !== undefined)
    ? { inherited: pinned }
    : nothing
}

const nothing = {}
