/**
 * Reads a filter's text (row X13).
 *
 * ```
 *   or        = and { OR and }                 WorkflowType = 'Order' AND (ExecutionStatus IN ('Failed', 'TimedOut')
 *   and       = not { AND not }                OR StartTime > '2026-11-27T00:00:00Z') AND NOT customer STARTS_WITH 'a'
 *   not       = [NOT] ( "(" or ")" | condition )
 *   condition = name ( = | != | < | <= | > | >= ) value
 *             | name [NOT] IN "(" value { "," value } ")"
 *             | name [NOT] BETWEEN value AND value
 *             | name [NOT] STARTS_WITH text
 *             | name IS [NOT] NULL
 *   value     = 'text' | "text" | number | TRUE | FALSE
 * ```
 *
 * Words like AND are known in small letters, too; names are as they are written, or in backquotes.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { Limits } from "../Limits.js"
import type { Condition, Filter, Operator, Value, Wrong } from "./Filter.js"

/**
 * The filter that a text says, undefined for an empty one; the left side points at what is wrong.
 *
 * @category combinators
 * @since 0.1.0
 */
export const parse = (text: string): Either.Either<Filter | undefined, Wrong> => {
  if (text.length > Limits.filterCharsMax) {
    return Either.left({ reason: `it has ${text.length} characters; at most ${Limits.filterCharsMax}`, at: undefined })
  }
  try {
    const reader = new Reader(tokensOf(text), text.length)
    return Either.right(reader.isAtEnd ? undefined : reader.all())
  } catch (thrown) {
    if (thrown instanceof Unexpected) return Either.left({ reason: thrown.reason, at: thrown.at })
    throw thrown
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

class Unexpected {
  constructor(readonly reason: string, readonly at: number) {}
}

type Token =
  | { readonly kind: "name" | "text"; readonly at: number; readonly value: string }
  | { readonly kind: "word"; readonly at: number; readonly value: string; readonly written: string }
  | { readonly kind: "number"; readonly at: number; readonly value: number }
  | { readonly kind: "sign"; readonly at: number; readonly value: string }

const words = new Set(["AND", "OR", "NOT", "IN", "BETWEEN", "STARTS_WITH", "IS", "NULL", "TRUE", "FALSE"])

const shapes = {
  space: /\s+/y,
  name: /[A-Za-z_][A-Za-z0-9_.-]*/y,
  quotedName: /`((?:[^`]|``)+)`/y,
  number: /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z0-9_.])/y,
  single: /'((?:[^'\\]|''|\\[\s\S])*)'/y,
  double: /"((?:[^"\\]|""|\\[\s\S])*)"/y,
  sign: /<=|>=|!=|<>|[=<>(),]/y
}

const tokensOf = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  let at = 0
  const take = (shape: RegExp): RegExpExecArray | null => {
    shape.lastIndex = at
    return shape.exec(text)
  }
  while (at < text.length) {
    const space = take(shapes.space)
    if (space !== null) {
      at += space[0].length
      continue
    }
    const [token, length] = tokenAt(text, at, take)
    tokens.push(token)
    at += length
  }
  return tokens
}

const tokenAt = (
  text: string,
  at: number,
  take: (shape: RegExp) => RegExpExecArray | null
): readonly [Token, length: number] => {
  const number = take(shapes.number)
  if (number !== null) return [{ kind: "number", at, value: Number(number[0]) }, number[0].length]
  const name = take(shapes.name)
  if (name !== null) {
    const [written] = name
    const upper = written.toUpperCase()
    return [
      words.has(upper) ? { kind: "word", at, value: upper, written } : { kind: "name", at, value: written },
      written.length
    ]
  }
  const quoted = take(shapes.quotedName)
  if (quoted !== null) return [{ kind: "name", at, value: quoted[1]!.replaceAll("``", "`") }, quoted[0].length]
  for (const [shape, quote] of [[shapes.single, "'"], [shapes.double, "\""]] as const) {
    const found = take(shape)
    if (found !== null) {
      const value = found[1]!.replaceAll(quote + quote, quote).replaceAll(/\\([\s\S])/g, "$1")
      return [{ kind: "text", at, value }, found[0].length]
    }
  }
  const sign = take(shapes.sign)
  if (sign !== null) return [{ kind: "sign", at, value: sign[0] === "<>" ? "!=" : sign[0] }, sign[0].length]
  const [character] = text.slice(at)
  if (character === "'" || character === "\"" || character === "`") {
    throw new Unexpected(`the text that begins with ${character} does not end`, at)
  }
  throw new Unexpected(`${character} means nothing here`, at)
}

const operators: ReadonlySet<string> = new Set<Operator>(["=", "!=", "<", "<=", ">", ">="])

class Reader {
  private next = 0
  private depth = 0

  constructor(private readonly tokens: ReadonlyArray<Token>, private readonly end: number) {}

  get isAtEnd(): boolean {
    return this.next >= this.tokens.length
  }

  all(): Filter {
    const filter = this.or()
    if (!this.isAtEnd) this.unexpected("AND, OR or the end")
    return filter
  }

  private or(): Filter {
    return this.joined("Or", "OR", () => this.joined("And", "AND", () => this.not()))
  }

  private joined(tag: "And" | "Or", word: string, part: () => Filter): Filter {
    const filters = [part()]
    while (this.takesWord(word)) filters.push(part())
    return filters.length === 1 ? filters[0]! : { _tag: tag, filters }
  }

  private not(): Filter {
    if (this.takesWord("NOT")) return { _tag: "Not", filter: this.nested(() => this.not()) }
    if (!this.takesSign("(")) return this.condition()
    return this.nested(() => {
      const inner = this.or()
      this.sign(")")
      return inner
    })
  }

  /** Deeper texts would overflow the stack of whoever reads the filter. */
  private nested(read: () => Filter): Filter {
    if (++this.depth > Limits.filterDepthMax) {
      throw new Unexpected(`it nests deeper than ${Limits.filterDepthMax}`, this.tokens[this.next]?.at ?? this.end)
    }
    const filter = read()
    this.depth--
    return filter
  }

  private condition(): Filter {
    const name = this.tokens[this.next]
    if (name?.kind !== "name") this.unexpected("the name of an attribute")
    this.next++
    const { at, value: attribute } = name
    if (this.takesWord("IS")) {
      const not = this.takesWord("NOT")
      this.word("NULL")
      return negated(not, { _tag: "IsNull", attribute, at })
    }
    const not = this.takesWord("NOT")
    if (this.takesWord("IN")) {
      this.sign("(")
      const values = [this.value()]
      while (this.takesSign(",")) values.push(this.value())
      this.sign(")")
      return negated(not, { _tag: "In", attribute, values, at })
    }
    if (this.takesWord("BETWEEN")) {
      const from = this.value()
      this.word("AND")
      return negated(not, { _tag: "Between", attribute, from, to: this.value(), at })
    }
    if (this.takesWord("STARTS_WITH")) {
      const prefix = this.tokens[this.next]
      if (prefix?.kind !== "text") this.unexpected("a text in quotes")
      this.next++
      return negated(not, { _tag: "StartsWith", attribute, prefix: prefix.value, at })
    }
    const operator = this.tokens[this.next]
    if (not || operator?.kind !== "sign" || !operators.has(operator.value)) {
      this.unexpected(not ? "IN, BETWEEN or STARTS_WITH" : "a comparison, like = or IN")
    }
    this.next++
    return { _tag: "Compare", attribute, operator: operator.value as Operator, value: this.value(), at }
  }

  private value(): Value {
    const token = this.tokens[this.next]
    const isTruth = token?.kind === "word" && (token.value === "TRUE" || token.value === "FALSE")
    if (token?.kind !== "text" && token?.kind !== "number" && !isTruth) {
      this.unexpected("a value: a text in quotes, a number, TRUE or FALSE")
    }
    this.next++
    return isTruth ? token.value === "TRUE" : token.value
  }

  private takesWord(word: string): boolean {
    const token = this.tokens[this.next]
    if (token?.kind !== "word" || token.value !== word) return false
    this.next++
    return true
  }

  private word(word: string): void {
    if (!this.takesWord(word)) this.unexpected(word)
  }

  private takesSign(sign: string): boolean {
    const token = this.tokens[this.next]
    if (token?.kind !== "sign" || token.value !== sign) return false
    this.next++
    return true
  }

  private sign(sign: string): void {
    if (!this.takesSign(sign)) this.unexpected(sign)
  }

  private unexpected(wanted: string): never {
    const token = this.tokens[this.next]
    throw token === undefined
      ? new Unexpected(`it ends where ${wanted} must come`, this.end)
      : new Unexpected(`${shown(token)} stands where ${wanted} must come`, token.at)
  }
}

const negated = (not: boolean, condition: Condition): Filter => not ? { _tag: "Not", filter: condition } : condition

const shown = (token: Token): string =>
  token.kind === "word" ? token.written : token.kind === "text" ? `'${token.value}'` : String(token.value)
