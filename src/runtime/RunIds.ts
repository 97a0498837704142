/**
 * Ids of runs, made outside of any body: UUIDs of version 7, which rise with time.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import { v7 as uuidv7 } from "uuid"

/** A copy in one piece: as the library joins them, an id is some thirty strings in memory. @since 0.1.0 */
export const make = (): string => Buffer.from(uuidv7(), "latin1").toString("latin1")

/**
 * How a worker names the runs that its turns create, given the run whose turn it is. Taken from the context of its Layer.
 *
 * @category services
 * @since 0.1.0
 */
export class RunIds
  extends Context.Reference<RunIds>()("perdure/RunIds", { defaultValue: (): (creator: string) => string => make })
{}
