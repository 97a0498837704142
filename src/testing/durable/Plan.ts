/**
 * What happens in one trial, decided beforehand: the input, the messages, how each activity call answers, in which order
 * all of that reaches the run. Generated from the schemas of the contracts; data, so that a failure can be made smaller.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type * as Schema from "effect/Schema"
import type { Codec } from "../../dsl/Contract.js"
import { neverSchema } from "../../dsl/Contract.js"
import type * as Workflow from "../../dsl/Workflow.js"

/**
 * How one attempt of an activity answers.
 *
 * - Succeeds, Fails: with a value or a declared error of its contract. Of activities without a body.
 * - Performs: by its body. Of activities that have one.
 * - Refuses: fails before its body began, as a service that is down.
 * - LosesAnswer: its body runs to its end, and nobody hears of it, as a connection that breaks: it will be tried again.
 * - Dies: by a defect. Of activities without a body.
 * - Hangs: never answers, so that its timeouts strike.
 * - Lost: ends as an attempt whose process died. Never drawn: what a crash did is compared with it.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | { readonly _tag: "Succeeds"; readonly value: unknown }
  | { readonly _tag: "Fails"; readonly error: unknown }
  | { readonly _tag: "Performs" }
  | { readonly _tag: "Refuses" }
  | { readonly _tag: "LosesAnswer" }
  | { readonly _tag: "Dies" }
  | { readonly _tag: "Hangs" }
  | { readonly _tag: "Lost" }

/** Something that a client sends. @since 0.1.0 */
export type Message =
  | { readonly _tag: "Signal" | "Update" | "Query"; readonly name: string; readonly payload: unknown }
  | { readonly _tag: "Cancel" }

/**
 * One trial, but for the crash in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  readonly input: unknown
  /** In the order in which they are sent. */
  readonly messages: ReadonlyArray<Message>
  /** By activity: for its first call, its second, and so on, how its attempts answer; the rest answer well. */
  readonly answers: Readonly<Record<string, ReadonlyArray<ReadonlyArray<Answer>>>>
  /** What comes next, whenever several things could; after the last of them, the plain order. */
  readonly order: ReadonlyArray<number>
}

/** An activity as a trial sees it. @since 0.1.0 */
export interface Role {
  readonly name: string
  readonly codecs: { readonly payload: Codec; readonly success: Codec; readonly error: Codec }
  /** Has a body of the user's. */
  readonly hasBody: boolean
  /** Given by hand, for its calls in order; not generated. */
  readonly script: ReadonlyArray<ReadonlyArray<Answer>> | undefined
  /** How it answers when nothing else is planned. */
  readonly well: Answer
  /** The child workflow that it stands in for, if it does. */
  readonly child?: string
}

/** What plans are drawn from. @since 0.1.0 */
export interface Sources {
  readonly codecs: Workflow.Codecs
  readonly roles: ReadonlyArray<Role>
  readonly input: FastCheck.Arbitrary<unknown> | undefined
  readonly messagesMax: number
  readonly cancels: boolean
}

/** @since 0.1.0 */
export const arbitrary = ({ cancels, codecs, input, messagesMax, roles }: Sources): FastCheck.Arbitrary<Plan> =>
  FastCheck.record({
    input: input ?? valueOf(codecs.payload),
    messages: messages(codecs, cancels, messagesMax),
    answers: FastCheck.record(Object.fromEntries(roles.map((role) => [role.name, answers(role)]))),
    order: FastCheck.array(FastCheck.nat(), { maxLength: 40 })
  })

/**
 * Values of a schema, as they come out of a history: encoded and decoded again. What cannot be encoded is left out.
 *
 * @since 0.1.0
 */
export const valueOf = (codec: Codec): FastCheck.Arbitrary<unknown> => {
  const through = (value: unknown) => Either.flatMap(codec.encode(value), codec.decode)
  return Arbitrary.make(codec.schema as Schema.Schema<unknown>)
    .map(through)
    .filter(Either.isRight)
    .map(({ right }) => right)
}

/** The value that an activity gives where none is planned: the same in each run, and short to read. @since 0.1.0 */
export const usualValue = (codec: Codec): unknown => {
  const values = FastCheck.sample(valueOf(codec), { seed: 1, numRuns: 50 })
  const length = (value: unknown) => (JSON.stringify(value) ?? "").length
  return values.reduce((shortest, value) => length(value) < length(shortest) ? value : shortest)
}

/** Whether the contract declares errors. @since 0.1.0 */
export const declaresErrors = (codec: Codec): boolean => codec.schema.ast !== neverSchema.ast

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const messages = (
  codecs: Workflow.Codecs,
  cancels: boolean,
  maxLength: number
): FastCheck.Arbitrary<ReadonlyArray<Message>> => {
  const of = (_tag: "Signal" | "Update" | "Query", handlers: ReadonlyMap<string, { readonly payload: Codec }>) =>
    [...handlers].map(([name, { payload }]) => ({
      arbitrary: valueOf(payload).map((payload): Message => ({ _tag, name, payload })),
      weight: 3
    }))
  const all = [...of("Signal", codecs.signals), ...of("Update", codecs.updates), ...of("Query", codecs.queries)]
  if (cancels) all.push({ arbitrary: FastCheck.constant<Message>({ _tag: "Cancel" }), weight: 1 })
  // A contract without messages, whose runs nobody cancels.
  return all.length === 0 ? FastCheck.constant([]) : FastCheck.array(FastCheck.oneof(...all), { maxLength })
}

const answers = (role: Role): FastCheck.Arbitrary<ReadonlyArray<ReadonlyArray<Answer>>> =>
  role.script === undefined
    ? FastCheck.array(FastCheck.array(answer(role), { maxLength: 2 }), { maxLength: 3 })
    : FastCheck.constant(role.script)

const answer = ({ codecs, hasBody, well }: Role): FastCheck.Arbitrary<Answer> => {
  const all: Array<FastCheck.WeightedArbitrary<Answer>> = [{ arbitrary: FastCheck.constant(well), weight: 2 }]
  const add = (weight: number, arbitrary: FastCheck.Arbitrary<Answer>) => void all.push({ arbitrary, weight })
  if (hasBody) {
    add(1, FastCheck.constant({ _tag: "Refuses" }))
    add(3, FastCheck.constant({ _tag: "LosesAnswer" }))
  } else {
    add(2, valueOf(codecs.success).map((value) => ({ _tag: "Succeeds", value })))
    if (declaresErrors(codecs.error)) add(3, valueOf(codecs.error).map((error) => ({ _tag: "Fails", error })))
    add(1, FastCheck.constant({ _tag: "Dies" }))
  }
  add(1, FastCheck.constant({ _tag: "Hangs" }))
  return FastCheck.oneof({ withCrossShrink: true }, ...all)
}
