/**
 * Archived histories in the clear: they were archived as the database held them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Coding } from "./Coding.js"
import type { Owner } from "./Owners.js"
import type { ActivityPlace, PayloadCodec, PayloadCodecError } from "./PayloadCodec.js"

/**
 * Decodes the payloads of an archived history with the codecs that its store had, or has now, for `Replayer.fromJson`.
 * Without codecs there is no need for it; a text that is no archived history comes back as it is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decode = (
  text: string,
  codecs: ReadonlyArray<PayloadCodec>
): Effect.Effect<string, PayloadCodecError> => {
  const about = headOf(text)
  if (about._tag === "None") return Effect.succeed(text)
  const activities = new Map<number, ActivityPlace>()
  const owner: Owner = {
    runId: about.value.runId,
    execution: Effect.succeed(about.value),
    activity: (seq) => Effect.sync(() => activities.get(seq)),
    met: (seq, activity) => void activities.set(seq, activity)
  }
  return new Coding({ codecs, failureMessages: true }).decode(text, owner).pipe(
    // Its owner is known: no store is asked.
    Effect.catchTag("StoreError", Effect.die)
  )
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const headOf = Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({
  runId: Schema.String,
  workflowId: Schema.String,
  workflow: Schema.String,
  turns: Schema.Array(Schema.Unknown)
})))
