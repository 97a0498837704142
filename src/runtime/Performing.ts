/**
 * How the effects of activities and inline steps are performed: around what authors wrote, outside of any body.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import { identity } from "effect/Function"

/** @since 0.1.0 */
export type Perform = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Taken from the context of the worker's Layer; as they are, if nothing is there.
 *
 * @category services
 * @since 0.1.0
 */
export class Performing
  extends Context.Reference<Performing>()("perdure/Performing", { defaultValue: (): Perform => identity })
{}
