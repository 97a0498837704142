/**
 * Reads vitest's JSON report and prints "<passed> <failed>". A file that failed outside of any test (it did not load,
 * a hook threw) counts as one failure, and so does a run that failed in a way that no test tells of.
 *
 * Usage: node .ci/count.mjs <report> <exit code of vitest>
 */
import { readFileSync } from "node:fs"

const [report, exitCode] = process.argv.slice(2)

const read = () => {
  try {
    return JSON.parse(readFileSync(report, "utf8")).testResults
  } catch {
    return []
  }
}

let passed = 0
let failed = 0
for (const file of read()) {
  const failures = file.assertionResults.filter((test) => test.status === "failed").length
  passed += file.assertionResults.filter((test) => test.status === "passed").length
  failed += failures === 0 && file.status === "failed" ? 1 : failures
}
if (failed === 0 && exitCode !== "0") failed = 1

console.log(passed, failed)
