/**
 * Shapes: a check whether a value fits a schema, compiled from the schema's own AST when a module loads.
 *
 *   Schema ──compile──▶ (value) => boolean       agrees with Schema.is, which stays the reference
 *
 * `Schema.is` builds its output and its error as it goes: 0.8 microseconds an event, as much as to parse its JSON. What
 * is compiled here takes 0.1 and only answers yes or no; whoever gets a no asks the schema for the reason.
 *
 * 1. It agrees with `Schema.is` on whatever `JSON.parse` can give, and on plain objects with undefined fields.
 * 2. A kind of schema that is not known here is left to `Schema.is`, field by field.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

/** @since 0.1.0 */
export type Check = (value: unknown) => boolean

type Fields = Readonly<Record<string, unknown>>

/**
 * Compiles a schema.
 *
 * @category constructors
 * @since 0.1.0
 */
export const compile = <A, I>(schema: Schema.Schema<A, I>): (value: unknown) => value is A => {
  const known = new Map<AST.AST, Check>()
  return checkOf(schema.ast, known) as (value: unknown) => value is A
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const checkOf = (ast: AST.AST, known: Map<AST.AST, Check>): Check => {
  switch (ast._tag) {
    case "UnknownKeyword":
      return () => true
    case "StringKeyword":
      return isString
    case "NumberKeyword":
      return isNumber
    case "BooleanKeyword":
      return isBoolean
    case "Literal":
      return (value) => value === ast.literal
    case "TupleType":
      return ast.elements.length === 0 && ast.rest.length === 1 ? every(checkOf(ast.rest[0]!.type, known)) : is(ast)
    case "TypeLiteral": {
      const values = record(ast, known)
      if (values !== undefined) return values
      const check = struct(ast, known)
      return check === undefined ? is(ast) : (value) => isRecord(value) && check(value)
    }
    case "Union":
      return taggedUnion(ast, known) ?? anyOf(ast.types.map((type) => checkOf(type, known)))
    case "Suspend":
      return suspended(ast, known)
    default:
      return is(ast)
  }
}

const is = (ast: AST.AST): Check => Schema.is(Schema.make(ast))
const isString: Check = (value) => typeof value === "string"
const isNumber: Check = (value) => typeof value === "number"
const isBoolean: Check = (value) => typeof value === "boolean"
const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const every = (check: Check): Check => (value) => {
  if (!Array.isArray(value)) return false
  for (let i = 0; i < value.length; i++) {
    if (!check(value[i])) return false
  }
  return true
}

const anyOf = (checks: ReadonlyArray<Check>): Check => (value) => {
  for (const check of checks) {
    if (check(value)) return true
  }
  return false
}

/** A recursive schema is compiled when it is first met in a value, and once. */
const suspended = (ast: AST.Suspend, known: Map<AST.AST, Check>): Check => (value) => {
  const target = ast.f()
  let check = known.get(target)
  if (check === undefined) {
    check = checkOf(target, known)
    known.set(target, check)
  }
  return check(value)
}

/** A record of texts to values of one kind. */
const record = (ast: AST.TypeLiteral, known: Map<AST.AST, Check>): Check | undefined => {
  const [index, ...more] = ast.indexSignatures
  if (index === undefined || more.length > 0 || ast.propertySignatures.length > 0) return undefined
  if (index.parameter._tag !== "StringKeyword") return undefined
  const check = checkOf(index.type, known)
  return (value) => {
    if (!isRecord(value)) return false
    for (const key in value) {
      if (!check(value[key])) return false
    }
    return true
  }
}

/** Checks the fields of a struct, but for one that is known to fit. Undefined where the struct is not a plain one. */
const struct = (
  ast: AST.TypeLiteral,
  known: Map<AST.AST, Check>,
  except?: string
): ((value: Fields) => boolean) | undefined => {
  const plain = ast.propertySignatures.length > 0 && ast.indexSignatures.length === 0 &&
    ast.propertySignatures.every(({ name }) => typeof name === "string")
  if (!plain) return undefined
  const fields = new Map(
    ast.propertySignatures.filter(({ name }) => name !== except).map(({ isOptional, name, type }) => [
      name as string,
      { check: checkOf(type, known), required: isOptional ? 0 : 1 }
    ])
  )
  let all = 0
  for (const { required } of fields.values()) all += required
  // Over the fields that the value has, not those that it may have: most optional ones are absent.
  return (value) => {
    let found = 0
    for (const key in value) {
      const field = fields.get(key)
      if (field === undefined) continue
      if (!field.check(value[key])) return false
      found += field.required
    }
    return found === all
  }
}

/** Structs told apart by `_tag`: one look-up instead of a try of each. Undefined where the union is of another kind. */
const taggedUnion = (ast: AST.Union, known: Map<AST.AST, Check>): Check | undefined => {
  const members = new Map<unknown, (value: Fields) => boolean>()
  for (const type of ast.types) {
    if (type._tag !== "TypeLiteral") return undefined
    const tag = type.propertySignatures.find(({ name }) => name === "_tag")
    const check = struct(type, known, "_tag")
    if (tag === undefined || tag.isOptional || tag.type._tag !== "Literal" || check === undefined) return undefined
    if (members.has(tag.type.literal)) return undefined
    members.set(tag.type.literal, check)
  }
  return (value) => isRecord(value) && members.get(value["_tag"])?.(value) === true
}
