/**
 * Compiles `src` and `bench` into `.cache/bench`, file by file, types unchecked: `npm run check:tsc` checks them.
 *
 * A `package.json` of the same name there makes `perdure` mean the sources compiled beside it, and not `dist`.
 */
import * as fs from "node:fs"
import * as Path from "node:path"
import ts from "typescript"

/** Returns the compiled file of `bench/child.ts`. */
export const compile = (root: string): string => {
  const out = Path.join(root, ".cache/bench")
  for (const folder of ["src", "bench"]) {
    for (const name of fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (name.endsWith(".ts")) {
        const path = Path.join(folder, name)
        const text = fs.readFileSync(Path.join(root, path), "utf8")
        const { outputText } = ts.transpileModule(text, {
          fileName: Path.join(root, path),
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            verbatimModuleSyntax: true
          }
        })
        write(Path.join(out, path.replace(/\.ts$/, ".js")), outputText)
      }
    }
  }
  const { exports, name } = JSON.parse(fs.readFileSync(Path.join(root, "package.json"), "utf8")) as {
    readonly name: string
    readonly exports: Record<string, string | { readonly import: string }>
  }
  const entries = Object.entries(exports).flatMap(([key, entry]) =>
    typeof entry === "string" ? [] : [[key, entry.import.replace("./dist/", "./src/")]]
  )
  write(
    Path.join(out, "package.json"),
    JSON.stringify({ name, type: "module", exports: Object.fromEntries(entries) })
  )
  return Path.join(out, "bench/child.js")
}

/** What did not change stays as it is: another bench may be running from there. */
const write = (path: string, text: string): void => {
  if (fs.existsSync(path) && fs.readFileSync(path, "utf8") === text) return
  fs.mkdirSync(Path.dirname(path), { recursive: true })
  fs.writeFileSync(`${path}.${process.pid}`, text)
  fs.renameSync(`${path}.${process.pid}`, path)
}
