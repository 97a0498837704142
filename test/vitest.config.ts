/**
 * Two projects: `unit`, which is every test there is but one, and `docs`, which compiles and runs the documentation
 * and belongs to `npm run check`. Under CI the results are also written to `.cache/vitest.json`, for `.ci/run` to count.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const root = fileURLToPath(new URL("..", import.meta.url))
const docs = "test/docs.test.ts"

export default defineConfig({
  root,
  cacheDir: ".cache/vite",
  resolve: {
    // The same names as `paths` in tsconfig.json.
    alias: [
      { find: /^perdure$/, replacement: `${root}src/index.ts` },
      { find: /^perdure\/([a-z]+)$/, replacement: `${root}src/$1.ts` }
    ]
  },
  test: {
    setupFiles: [`${root}test/seed.ts`],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    poolOptions: { forks: { maxForks: 2, minForks: 1 } },
    reporters: process.env["CI"] ? ["default", "json"] : ["default"],
    outputFile: { json: ".cache/vitest.json" },
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: [docs] } },
      { extends: true, test: { name: "docs", include: [docs] } }
    ]
  }
})
