/**
 * Lists and counts of executions (rows X13, X14).
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Carried } from "../../core/family/Notes.js"
import { Limits } from "../../core/Limits.js"
import type { Filter } from "../../core/visibility/Filter.js"
import * as Filters from "../../core/visibility/Filter.js"
import * as FilterParser from "../../core/visibility/FilterParser.js"
import type { Count, Listed, ListOptions, Page, PageOptions, Query } from "../../dsl/Listed.js"
import { FilterError } from "../../dsl/Listed.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { Run } from "../../persistence/Store.js"
import type { Calls } from "./Calls.js"

/** One page, and where the next one begins. @since 0.1.0 */
export const page = (
  calls: Calls,
  query: Query | undefined,
  options: PageOptions
): Effect.Effect<Page, FilterError | StoreUnavailable> =>
  Effect.gen(function*() {
    const filter = yield* filterOf(query)
    const limit = yield* pageSizeOf(options)
    const from = options.cursor === undefined
      ? { order: options.order ?? "Closed", asOf: calls.now(), after: undefined }
      : yield* decodeCursor(options.cursor)
    if (options.order !== undefined && options.order !== from.order) {
      return yield* new FilterError({ reason: `the cursor is of a list in the order ${from.order}` })
    }
    // One more than is shown tells whether there are more.
    const runs = yield* calls.of("list", calls.store.list({ ...from, filter, limit: limit + 1 }))
    const shown = runs.slice(0, limit)
    const last = shown.at(-1)
    return {
      executions: shown.map(listed),
      cursor: runs.length <= limit || last === undefined ? undefined : encodeCursor({
        ...from,
        after: {
          // What closed since the list began is where it was: among the open ones.
          closedAt: last.closedAt === undefined || last.closedAt > from.asOf ? undefined : last.closedAt,
          startedAt: last.startedAt,
          runId: last.runId
        }
      })
    }
  })

/** All of them, page by page, as they are read. @since 0.1.0 */
export const list = (
  calls: Calls,
  query: Query | undefined,
  options: ListOptions
): Stream.Stream<Listed, FilterError | StoreUnavailable> =>
  byPage((cursor) =>
    Effect.map(page(calls, query, { ...options, cursor }), ({ cursor, executions }) => ({ found: executions, cursor }))
  )

/** How many a page shows; fails where it may not have so many. @since 0.1.0 */
export const pageSizeOf = ({ pageSize = defaultPage }: ListOptions): Effect.Effect<number, FilterError> =>
  Number.isSafeInteger(pageSize) && pageSize >= 1 && pageSize <= Limits.listPageMax
    ? Effect.succeed(pageSize)
    : Effect.fail(new FilterError({ reason: `pageSize must be 1 to ${Limits.listPageMax}, and is ${pageSize}` }))

/** Page by page, each asked for when it is read. @since 0.1.0 */
export const byPage = <A, E>(
  page: (
    cursor: string | undefined
  ) => Effect.Effect<{ readonly found: ReadonlyArray<A>; readonly cursor: string | undefined }, E>
): Stream.Stream<A, E> =>
  Stream.paginateChunkEffect(
    undefined as string | undefined,
    (cursor) =>
      Effect.map(page(cursor), ({ cursor, found }) =>
        [Chunk.unsafeFromArray(found), cursor === undefined ? Option.none() : Option.some(cursor)] as const)
  )

/** @since 0.1.0 */
export const count = (
  calls: Calls,
  query: Query | undefined
): Effect.Effect<Count, FilterError | StoreUnavailable> =>
  Effect.flatMap(filterOf(query), (filter) =>
    Effect.map(calls.of("count", calls.store.count(filter)), (found) => ({
      total: found.reduce((sum, { runs }) => sum + runs, 0),
      byStatus: Object.fromEntries(found.map(({ runs, status }) => [status, runs]))
    })))

/** The filter that is asked for, as it is written: see `Filter.check`. @since 0.1.0 */
export const read = (query: Query | undefined): Either.Either<Filter | undefined, FilterError> =>
  typeof query === "string"
    ? Either.mapLeft(FilterParser.parse(query), ({ at, reason }) => new FilterError({ reason, text: query, at }))
    : Either.right(query)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const defaultPage = 100

const filterOf = (query: Query | undefined): Effect.Effect<Filter | undefined, FilterError> => {
  const text = typeof query === "string" ? query : undefined
  return Effect.flatMap(read(query), (filter) =>
    filter === undefined
      ? Effect.succeed(undefined)
      : Effect.mapError(Filters.check(filter), ({ at, reason }) => new FilterError({ reason, text, at })))
}

const listed = (run: Run): Listed => {
  const notes = (run.notes === undefined ? {} : JSON.parse(run.notes)) as Carried
  return {
    workflow: run.workflow,
    workflowId: run.workflowId,
    runId: run.runId,
    taskQueue: run.taskQueue,
    status: run.status,
    startedAt: run.startedAt,
    startAt: run.startAt,
    closedAt: run.closedAt,
    firstRunId: run.firstRunId,
    previousRunId: run.previousRunId,
    attempt: run.attempt,
    parentRunId: run.parent?.runId,
    scheduled: run.scheduled,
    turns: run.turn,
    historyLength: run.historyLength ?? 0,
    rootWorkflowId: run.rootWorkflowId,
    version: run.version,
    versioningBehavior: run.override ?? run.behavior,
    summary: notes.summary,
    memo: Object.fromEntries((notes.memo ?? []).map(({ name, value }) => [name, value])),
    searchAttributes: Object.fromEntries(
      (notes.searchAttributes ?? []).map(({ name, type, value }) => [
        name,
        type === "datetime" && typeof value === "number" ? new Date(value) : value
      ])
    ),
    needsAttention: run.attention !== undefined
  }
}

/** Where a page begins, as a text for whoever asks for it. */
const Cursor = Schema.parseJson(Schema.Struct({
  order: Schema.Literal("Closed", "Newest", "Oldest"),
  asOf: Schema.Number,
  after: Schema.Struct({
    closedAt: Schema.optionalWith(Schema.Number, { exact: true }),
    startedAt: Schema.Number,
    runId: Schema.String
  })
}))

const decodeCursor = (cursor: string) =>
  Effect.mapError(
    Schema.decode(Cursor)(Buffer.from(cursor, "base64url").toString()),
    () => new FilterError({ reason: "the cursor is none that a list gave" })
  )

interface Place {
  readonly order: "Closed" | "Newest" | "Oldest"
  readonly asOf: number
  readonly after: { readonly closedAt: number | undefined; readonly startedAt: number; readonly runId: string }
}

const encodeCursor = ({ after, asOf, order }: Place): string =>
  Buffer.from(JSON.stringify({ order, asOf, after })).toString("base64url")
