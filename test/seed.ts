/**
 * Before each test file: properties draw the same values in each run, so that what is green stays green. Who looks for
 * trouble sets `PERDURE_PROOF_SEED`: a number, or "random".
 */
import * as FastCheck from "effect/FastCheck"
import { seed } from "./proofs/Runs.js"

FastCheck.configureGlobal({ seed: seed() })
