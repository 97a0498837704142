/**
 * Names that authors may not give, since the engine gives them (row D9).
 *
 * @since 0.1.0
 */

/** Queries that every workflow answers by itself (row Q4). @since 0.1.0 */
export const builtInQueries = ["__stack_trace", "__metadata"] as const

const reservedNames: ReadonlySet<string> = new Set([...builtInQueries, "__enhanced_stack_trace"])

/** Why a name may not be given; undefined if it may. @since 0.1.0 */
export const reserved = (name: string): string | undefined =>
  name.startsWith("__perdure") || name.startsWith("__temporal")
    ? "names with this prefix are reserved"
    : reservedNames.has(name)
    ? "this name is reserved"
    : undefined
