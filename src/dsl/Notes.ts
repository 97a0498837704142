/**
 * What a run says of itself: memo and search attributes, typed by its definition, and details (rows W12, W13, W20).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Attribute, AttributeType, Carried, MemoField } from "../core/family/Notes.js"
import { Limits } from "../core/Limits.js"
import { checkName } from "./Activity.js"
import type { AnySchema, Codec } from "./Contract.js"
import * as Contract from "./Contract.js"
import type { SearchAttribute } from "./SearchAttribute.js"
import { WorkflowContext } from "./WorkflowContext.js"

/** Schemas of a memo's fields by name. @since 0.1.0 */
export type MemoContract = Readonly<Record<string, AnySchema>>
/** Search attributes by name. @since 0.1.0 */
export type AttributeContract = Readonly<Record<string, SearchAttribute<unknown>>>

/** The types of a memo's fields. @since 0.1.0 */
export type MemoTypes<M> = { readonly [K in keyof M]: M[K] extends AnySchema ? M[K]["Type"] : never }
/** The types of search attributes. @since 0.1.0 */
export type AttributeTypes<A> = { readonly [K in keyof A]: A[K] extends SearchAttribute<infer T> ? T : never }

/** Compiled once per definition. @since 0.1.0 */
export interface NoteCodecs {
  readonly memo: ReadonlyMap<string, Codec>
  readonly attributes: ReadonlyMap<string, { readonly type: AttributeType; readonly codec: Codec }>
}

/** A definition, as far as this file needs it. */
interface Noting {
  readonly name: string
  readonly notes?: NoteCodecs | undefined
  readonly types?: unknown
}

type Part<W, K extends string> = W extends { readonly types?: infer T }
  ? NonNullable<T> extends { readonly [P in K]: infer M } ? M : never
  : never

/** The fields of a workflow's memo. @since 0.1.0 */
export type MemoOf<W> = Part<W, "memo">
/** The search attributes of a workflow. @since 0.1.0 */
export type AttributesOf<W> = Part<W, "attributes">

/** Some of the fields. @since 0.1.0 */
export type Some<T> = { readonly [K in keyof T]?: T[K] }
/** What a start may say of the run by its definition: nothing, where that declares nothing (rows W12, W13). @since 0.1.0 */
export type NotesGiven<M, A> =
  & ([keyof M] extends [never] ? unknown : { readonly memo?: Some<M> | undefined })
  & ([keyof A] extends [never] ? unknown : { readonly searchAttributes?: Some<A> | undefined })
/** Some of the fields, to be set, or removed where they are null. @since 0.1.0 */
export type Change<T> = { readonly [K in keyof T]?: T[K] | null }

/** @internal */
export const compile = (
  name: string,
  memo: MemoContract | undefined,
  attributes: AttributeContract | undefined
): NoteCodecs | undefined => {
  if (memo === undefined && attributes === undefined) return undefined
  const checked = <A>(kind: string, contract: Readonly<Record<string, A>> | undefined) =>
    Object.entries(contract ?? {}).map(([key, value]) => {
      checkName(`${kind} of workflow ${name}`, key)
      return [key, value] as const
    })
  return {
    memo: new Map(
      checked("memo field", memo).map((
        [key, schema]
      ) => [key, Contract.codec(schema, `memo ${key} of workflow ${name}`)])
    ),
    attributes: new Map(
      checked("search attribute", attributes).map(([key, { schema, type }]) => [
        key,
        { type, codec: Contract.codec(schema, `search attribute ${key} of workflow ${name}`) }
      ])
    )
  }
}

/**
 * The fields of the run's memo that are set, with all that was changed so far (row W12).
 *
 * Dies where the body is that of another workflow, or a field does not fit its schema.
 *
 * @category services
 * @since 0.1.0
 */
export const memo = <W extends Noting>(workflow: W): Effect.Effect<Some<MemoOf<W>>, never, WorkflowContext> =>
  inBodyOf(
    workflow,
    "Workflow.memo",
    (context) => Effect.flatMap(context.notes, (notes) => orDie(decodeMemo(workflow, notes.memo ?? [])))
  ) as never

/**
 * Sets fields of the run's memo, and removes those that are null; the others stay (row W12).
 *
 * Seen at once in the run, and by `describe` once the turn is committed. Handed on to a run that continues this one.
 * Leaves an event. Dies in a query or validator (row W14), and on a field that is not declared or does not fit.
 *
 * @category combinators
 * @since 0.1.0
 */
export const upsertMemo = <W extends Noting>(
  workflow: W,
  change: Change<MemoOf<W>>
): Effect.Effect<void, never, WorkflowContext> =>
  inBodyOf(
    workflow,
    "Workflow.upsertMemo",
    (context) => Effect.flatMap(orDie(encodeMemo(workflow, change)), (fields) => context.upsertMemo(fields))
  )

/**
 * The run's search attributes that are set, with all that was changed so far (row W13). Dies as `memo` does.
 *
 * @category services
 * @since 0.1.0
 */
export const searchAttributes = <W extends Noting>(
  workflow: W
): Effect.Effect<Some<AttributesOf<W>>, never, WorkflowContext> =>
  inBodyOf(workflow, "Workflow.searchAttributes", (context) =>
    Effect.flatMap(
      context.notes,
      (notes) => orDie(decodeAttributes(workflow, notes.searchAttributes ?? []))
    )) as never

/**
 * Sets search attributes of the run, and removes those that are null; the others stay (row W13). As `upsertMemo`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const upsertSearchAttributes = <W extends Noting>(
  workflow: W,
  change: Change<AttributesOf<W>>
): Effect.Effect<void, never, WorkflowContext> =>
  inBodyOf(workflow, "Workflow.upsertSearchAttributes", (context) =>
    Effect.flatMap(
      orDie(encodeAttributes(workflow, change)),
      (attributes) => context.upsertSearchAttributes(attributes)
    ))

/**
 * Says where the run stands, for the `__metadata` query: at most 20,000 characters, replaced by each call (row W20).
 *
 * Leaves no event: on replay the body says it again. Dies in a query or validator.
 *
 * @category combinators
 * @since 0.1.0
 */
export const setCurrentDetails = (details: string): Effect.Effect<void, never, WorkflowContext> =>
  Effect.flatMap(
    WorkflowContext,
    (context) =>
      details.length > Limits.detailsCharsMax
        ? Effect.die(tooLong("current details", Limits.detailsCharsMax))
        : context.setCurrentDetails(details)
  )

/** What a start is given of this. @since 0.1.0 */
export interface Given {
  readonly memo?: object | undefined
  readonly searchAttributes?: object | undefined
  readonly summary?: string | undefined
  readonly details?: string | undefined
}

/** The stored form of what a start is given; the left side says what is wrong with it. @since 0.1.0 */
export const encode = (workflow: Noting, given: Given): Either.Either<Carried, Contract.ContractError> => {
  const { details, summary } = given
  if (
    given.memo === undefined && given.searchAttributes === undefined && summary === undefined && details === undefined
  ) {
    return nothing
  }
  return Either.gen(function*() {
    if ((summary?.length ?? 0) > Limits.summaryCharsMax) {
      yield* Either.left(tooLong("summary", Limits.summaryCharsMax))
    }
    if ((details?.length ?? 0) > Limits.detailsCharsMax) {
      yield* Either.left(tooLong("details", Limits.detailsCharsMax))
    }
    const memo = (yield* encodeMemo(workflow, given.memo ?? {})).filter(isSet)
    const attributes = (yield* encodeAttributes(workflow, given.searchAttributes ?? {})).filter(isSet)
    return {
      ...(memo.length === 0 ? {} : { memo }),
      ...(attributes.length === 0 ? {} : { searchAttributes: attributes }),
      ...(summary === undefined ? {} : { summary }),
      ...(details === undefined ? {} : { details })
    }
  })
}

/** By name, decoded; what has no codec, or does not fit it any more, as it is stored: to be looked at. @since 0.1.0 */
export const shown = (
  all: ReadonlyArray<{ readonly name: string; readonly value?: unknown }>,
  codecOf: (name: string) => Codec | undefined
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    all.map(({ name, value }) => [name, codecOf(name)?.decode(value).pipe(Either.getOrElse(() => value)) ?? value])
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const decodeMemo = (workflow: Noting, fields: ReadonlyArray<MemoField>) =>
  decodeAll(fields, (name) => workflow.notes?.memo.get(name))

const decodeAttributes = (workflow: Noting, attributes: ReadonlyArray<Attribute>) =>
  decodeAll(attributes, (name) => workflow.notes?.attributes.get(name)?.codec)

const nothing = Either.right<Carried>({})

const isSet = ({ value }: { readonly value?: unknown }): boolean => value !== undefined

const tooLong = (subject: string, most: number) =>
  new Contract.ContractError({ subject, reason: `must have at most ${most} characters` })

const unregistered = (workflow: Noting, kind: string, name: string, known: Iterable<string> = []) =>
  new Contract.ContractError({
    subject: `workflow ${workflow.name}`,
    reason: `declares no ${kind} ${name}; declared are: ${[...known].join(", ") || "none"}`
  })

const encodeMemo = (
  workflow: Noting,
  change: object
): Either.Either<ReadonlyArray<MemoField>, Contract.ContractError> =>
  Either.all(
    entries(change).map(([name, value]) => {
      const codec = workflow.notes?.memo.get(name)
      if (codec === undefined) return Either.left(unregistered(workflow, "memo", name, workflow.notes?.memo.keys()))
      if (value === null) return Either.right<MemoField>({ name })
      return Either.map(codec.encode(value), (value): MemoField => ({ name, value }))
    })
  )

const encodeAttributes = (
  workflow: Noting,
  change: object
): Either.Either<ReadonlyArray<Attribute>, Contract.ContractError> =>
  Either.all(
    entries(change).map(([name, value]) => {
      const declared = workflow.notes?.attributes
      const attribute = declared?.get(name)
      if (attribute === undefined) {
        return Either.left(unregistered(workflow, "search attribute", name, declared?.keys()))
      }
      const { codec, type } = attribute
      if (value === null) return Either.right<Attribute>({ name, type })
      return Either.map(codec.encode(value), (value): Attribute => ({ name, type, value }))
    })
  )

/** A field that is undefined is one that was not given. */
const entries = (change: object): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(change).filter(([, value]) => value !== undefined)

const decodeAll = (
  all: ReadonlyArray<{ readonly name: string; readonly value?: unknown }>,
  codecOf: (name: string) => Codec | undefined
): Either.Either<Readonly<Record<string, unknown>>, Contract.ContractError> => {
  const decoded: Record<string, unknown> = {}
  for (const { name, value } of all) {
    const codec = codecOf(name)
    const read = codec === undefined ? Either.right(value) : codec.decode(value)
    if (Either.isLeft(read)) return Either.left(read.left)
    decoded[name] = read.right
  }
  return Either.right(decoded)
}

const orDie = <A>(result: Either.Either<A, Contract.ContractError>): Effect.Effect<A> =>
  Either.isLeft(result) ? Effect.die(result.left) : Effect.succeed(result.right)

const inBodyOf = <A>(
  workflow: Noting,
  call: string,
  use: (context: typeof WorkflowContext.Service) => Effect.Effect<A>
): Effect.Effect<A, never, WorkflowContext> =>
  Effect.flatMap(WorkflowContext, (context) =>
    Effect.flatMap(context.info, (info) =>
      info.workflow === workflow.name
        ? use(context)
        : Effect.die(
          new Contract.ContractError({
            subject: call,
            reason: `it was given workflow ${workflow.name}, in the body of ${info.workflow}`
          })
        )))
