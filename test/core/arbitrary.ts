/**
 * Arbitrary events, derived from their schemas, and arbitrary damage to them.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Event } from "../../src/core/Event.js"

/** What JSON gives back, whatever the schema's own arbitrary came up with: no NaN, no -0, no undefined field. */
export const json = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(
    JSON.stringify(value, (_, field: unknown) => typeof field === "number" ? Number.isFinite(field) ? field : 0 : field)
  )

/** Values of a schema as they come out of JSON. */
export const stored = <A, I>(schema: Schema.Schema<A, I>): FastCheck.Arbitrary<A> =>
  Arbitrary.make(Schema.typeSchema(schema)).map((value) => json(value) as A)

/** Events as they come out of JSON, of every kind alike. */
export const event: FastCheck.Arbitrary<Event> = FastCheck.oneof(
  ...Event.members.map((member) => stored(member as Schema.Schema<Event>))
)

export const events = FastCheck.array(event, { maxLength: 5 })

const path = FastCheck.array(FastCheck.nat(20), { minLength: 1, maxLength: 4 })

const junk: FastCheck.Arbitrary<unknown> = FastCheck.oneof(
  FastCheck.anything(),
  FastCheck.constantFrom(undefined, null, NaN, "", 0, true, [], {}, "Application", "TryCancel", "Timeout"),
  event
)

type Damage = { readonly kind: "set" | "delete" | "add"; readonly path: ReadonlyArray<number>; readonly value: unknown }

/** One change somewhere within a value: a field set to junk, taken away, or added. */
export const damage: FastCheck.Arbitrary<Damage> = FastCheck.record({
  kind: FastCheck.constantFrom("set" as const, "delete" as const, "add" as const),
  path,
  value: junk
})

/** A copy of the value with the damage done. The path's numbers choose among the fields at each level. */
export const damaged = (value: unknown, { kind, path, value: junk }: Damage): unknown => {
  if (typeof value !== "object" || value === null) return junk
  const copy: Record<string, unknown> = Array.isArray(value) ? [...value] as never : { ...value }
  const keys = Object.keys(copy)
  const key = keys[path[0]! % Math.max(1, keys.length)]
  if (key === undefined || kind === "add" && path.length === 1) copy["added"] = junk
  else if (path.length > 1) copy[key] = damaged(copy[key], { kind, path: path.slice(1), value: junk })
  else if (kind === "delete") delete copy[key]
  else copy[key] = junk
  return copy
}
