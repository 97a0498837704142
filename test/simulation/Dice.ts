/**
 * Numbers that a seed decides. Streams with different names know nothing of each other: what one draws more or less does
 * not move the others.
 */
export class Dice {
  private state: number

  constructor(private readonly seed: number, private readonly name = "") {
    let hash = 0x811c9dc5 ^ seed
    for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    this.state = hash | 0
  }

  stream(name: string): Dice {
    return new Dice(this.seed, `${this.name}/${name}`)
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** Both ends included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  of<A>(choices: ReadonlyArray<A>): A {
    return choices[Math.floor(this.next() * choices.length)]!
  }
}
