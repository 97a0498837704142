/**
 * The house rules that no other tool knows. Each reads the tree and lists what breaks it, by place.
 */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

describe("tidy", () => {
  it("src holds no unfinished business", () => {
    // The markers are written apart so that this file could be held to its own rule.
    const marker = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`)
    nothing(
      src.flatMap((file) =>
        file.lines.flatMap((line, index) => marker.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [])
      )
    )
  })

  it("files and folders are named for a concept, not for a heap", () => {
    const heap = /^(utils?|helpers?|common|shared|misc|managers?|types)$/i
    nothing([...src, ...tests].flatMap(({ path }) => {
      const names = path.split("/").map((name) => name.replace(/\..*$/, ""))
      // test/types is where the tests of types are; there the word is meant.
      return names.some((name) => heap.test(name)) && !path.startsWith("test/types/") ? [path] : []
    }))
  })

  it("a file in src has at most 500 lines", () => {
    nothing(src.flatMap(({ lines, path }) => lines.length > linesMax ? [`${path}: ${lines.length} lines`] : []))
  })

  it("a file in src says first what it is", () => {
    nothing(src.flatMap(({ path, text }) => isEntry(path) || text.startsWith("/**") ? [] : [path]))
  })

  it("the lockfile names no registry", () => {
    const lock = JSON.parse(readFileSync(Path.join(root, "package-lock.json"), "utf8")) as {
      readonly packages: Record<string, { readonly resolved?: string }>
    }
    nothing(Object.entries(lock.packages).flatMap(([name, { resolved }]) => resolved === undefined ? [] : [name]))
  })
})

/** More than this is two concepts, or a composer that has begun to decide. */
const linesMax = 500

/** `src/index.ts`, `src/sqlite.ts`: lists of exports, which need no heading. */
const isEntry = (path: string): boolean => /^src\/[^/]+\.ts$/.test(path)

const nothing = (found: ReadonlyArray<string>): void => {
  assert.deepStrictEqual(found, [])
}

const sources = (folder: string) =>
  readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => {
      const path = Path.posix.join(folder, name.split(Path.sep).join("/"))
      const text = readFileSync(Path.join(root, path), "utf8")
      return { path, text, lines: text.replace(/\n$/, "").split("\n") }
    })

const src = sources("src")
const tests = sources("test")
