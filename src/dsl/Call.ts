/**
 * What calls of all kinds have in common: how their arguments are typed, and which ids are refused.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Headers from "../core/Headers.js"
import { Limits } from "../core/Limits.js"
import { ContractError } from "./Contract.js"

/** The payload and the options of a call; a payload of nothing may be left out. @since 0.1.0 */
export type PayloadArgument<P, Options = undefined> = [Options] extends [undefined]
  ? [P] extends [void] ? [payload?: P] : unknown extends P ? [payload?: P] : [payload: P]
  : [P] extends [void] ? [payload?: P, options?: Options]
  : unknown extends P ? [payload?: P, options?: Options]
  : [payload: P, options?: Options]

/** Ids are index keys: they have a bound (row D9). @since 0.1.0 */
export const refusedId = (what: string, id: string | undefined): string | undefined =>
  id !== undefined && (id.length === 0 || id.length > Limits.identifierCharsMax)
    ? `its ${what} must have 1 to ${Limits.identifierCharsMax} characters`
    : undefined

/** The headers of a call as they are recorded. @since 0.1.0 */
export const headersOf = (subject: string, headers: Headers.Headers): Either.Either<Headers.Field, ContractError> =>
  Either.mapLeft(Headers.field(headers), (reason) => new ContractError({ subject, reason }))
