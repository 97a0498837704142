/**
 * Where in the author's code a fiber stands.
 *
 * A stack trace does not tell: a fiber that waits is not on the stack. But it holds its continuations, and V8's debugger
 * knows the line at which a generator is suspended, and where a function was written. Asked only when a turn has failed
 * and nothing else names the place: it takes a tenth of a second.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import type * as Inspector from "node:inspector"
import { createRequire, findSourceMap } from "node:module"
import { authorPlace, isAuthors } from "./TurnFailure.js"

/**
 * The line at which the fiber is suspended, or else where the nearest of its continuations is, or else the fallback.
 *
 * @category combinators
 * @since 0.1.0
 */
export const of = (
  fiber: Fiber.RuntimeFiber<unknown, unknown> | null | undefined,
  fallback: object
): string | undefined => {
  try {
    return debugging((locate) => {
      for (const continuation of [...continuationsOf(fiber), fallback]) {
        const place = locate(continuation)
        if (place !== undefined) return place
      }
      return undefined
    })
  } catch {
    // No debugger in this build of Node, or no such insides in this version of effect: the place stays unknown.
    return undefined
  }
}

/**
 * All lines of each fiber, the innermost first: empty where none is known. One look into the debugger serves them all.
 *
 * @category combinators
 * @since 0.1.0
 */
export const all = (
  fibers: ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>
): ReadonlyArray<ReadonlyArray<string>> => {
  try {
    return debugging((locate) =>
      fibers.map((fiber) => {
        const places: Array<string> = []
        for (const continuation of continuationsOf(fiber)) {
          const place = locate(continuation)
          if (place !== undefined && place !== places.at(-1)) places.push(place)
        }
        return places
      })
    )
  } catch {
    return []
  }
}

/** The step that the fiber waits for, which it says in its status; undefined where it waits for something else. @since 0.1.0 */
export const stepOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number | undefined => {
  const id = (fiber as unknown as { readonly _asyncBlockingOn?: { readonly id?: number } | null })._asyncBlockingOn?.id
  return id !== undefined && id < 0 ? -id : undefined
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const continuationsMax = 100

/** The generators and functions that go on when what the fiber waits for is there, the next one first. */
const continuationsOf = (fiber: Fiber.RuntimeFiber<unknown, unknown> | null | undefined): ReadonlyArray<object> => {
  const frames = (fiber as { readonly _stack?: ReadonlyArray<Record<string, unknown>> } | null | undefined)?._stack ??
    []
  return frames.slice(-continuationsMax).reverse().flatMap((frame) =>
    [frame["effect_instruction_i0"], frame["effect_instruction_i1"], frame["effect_instruction_i2"]]
      .filter((held): held is object => typeof held === "function" || isGenerator(held))
  )
}

const isGenerator = (held: unknown): boolean => Object.prototype.toString.call(held) === "[object Generator]"

interface Location {
  readonly scriptId: string
  readonly lineNumber: number
  readonly columnNumber?: number
}

const held = Symbol.for("perdure/Whereabouts")

const debugging = <A>(use: (locate: (code: object) => string | undefined) => A): A => {
  const inspector = createRequire(import.meta.url)("node:inspector") as typeof Inspector
  const session = new inspector.Session()
  const files = new Map<string, string>()
  const globals = globalThis as { [held]?: object }
  session.connect()
  try {
    session.on("Debugger.scriptParsed", ({ params }) => files.set(params.scriptId, params.url))
    session.post("Debugger.enable")
    return use((code) => {
      globals[held] = code
      const location = locationOf(session)
      const file = location === undefined ? undefined : files.get(location.scriptId)
      return location === undefined || file === undefined || !isAuthors(file)
        ? undefined
        : inSource(file, location.lineNumber + 1, (location.columnNumber ?? 0) + 1)
    })
  } finally {
    delete globals[held]
    session.post("Debugger.disable")
    session.disconnect()
  }
}

/** Each post is answered before it returns: the session is one of this very thread. */
const locationOf = (session: Inspector.Session): Location | undefined => {
  let location: Location | undefined
  session.post("Runtime.evaluate", { expression: `globalThis[Symbol.for("${held.description}")]` }, (_, evaluated) => {
    const objectId = evaluated?.result.objectId
    if (objectId === undefined) return
    session.post("Runtime.getProperties", { objectId, ownProperties: true }, (_, properties) => {
      const named = properties?.internalProperties?.find(({ name }) =>
        name === "[[GeneratorLocation]]" || name === "[[FunctionLocation]]"
      )
      location = named?.value?.value as Location | undefined
    })
  })
  return location
}

/** From the line that runs to the line that was written, if there is a source map. */
const inSource = (file: string, line: number, column: number): string => {
  const path = file.replace(/^file:\/\//, "")
  const hook = Error.prepareStackTrace
  if (hook !== undefined) {
    const site = new Site(file, line, column) as unknown as NodeJS.CallSite
    const mapped = authorPlace(String(hook(new Error("place"), [site])))
    if (mapped !== undefined) return mapped
  }
  const entry = findSourceMap(file)?.findEntry(line - 1, column - 1)
  return entry !== undefined && "originalSource" in entry
    ? `${entry.originalSource.replace(/^file:\/\//, "")}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
    : `${path}:${line}:${column}`
}

/** A frame of a stack trace, for whoever maps those to sources in this process: a test runner, as a rule. */
class Site {
  constructor(private readonly file: string, private readonly line: number, private readonly column: number) {}
  getFileName() {
    return this.file
  }
  getScriptNameOrSourceURL() {
    return this.file
  }
  getLineNumber() {
    return this.line
  }
  getColumnNumber() {
    return this.column
  }
  getEnclosingLineNumber() {
    return this.line
  }
  getEnclosingColumnNumber() {
    return this.column
  }
  getPosition() {
    return 0
  }
  getThis() {
    return undefined
  }
  getTypeName() {
    return null
  }
  getFunction() {
    return undefined
  }
  getFunctionName() {
    return null
  }
  getMethodName() {
    return null
  }
  getEvalOrigin() {
    return undefined
  }
  getScriptHash() {
    return ""
  }
  getPromiseIndex() {
    return null
  }
  isToplevel() {
    return true
  }
  isEval() {
    return false
  }
  isNative() {
    return false
  }
  isConstructor() {
    return false
  }
  isAsync() {
    return false
  }
  isPromiseAll() {
    return false
  }
  toString() {
    return `${this.getFileName()}:${this.getLineNumber()}:${this.getColumnNumber()}`
  }
}
