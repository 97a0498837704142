/**
 * Chance without surprise: the same seed and the same words give the same number, in whatever order and process they
 * are asked.
 */
import { createHash } from "node:crypto"

/** A number in [0, 1). */
export const chance = (seed: number, ...words: ReadonlyArray<string | number>): number =>
  createHash("sha256").update(JSON.stringify([seed, ...words])).digest().readUInt32BE(0) / 2 ** 32

/** The first alternative whose share the number falls into. Shares are parts of 1; what they leave is the otherwise. */
export const pick = <A, B>(number: number, shares: ReadonlyArray<readonly [share: number, value: A]>, otherwise: B) => {
  let below = 0
  for (const [share, value] of shares) {
    below += share
    if (number < below) return value
  }
  return otherwise
}
