/** Stands for the package `uuid` in a simulation: the same ids in each run of a seed. */
let next = 0

export const restart = (): void => void (next = 0)

const id = (): string => `00000000-0000-7000-8000-${String(++next).padStart(12, "0")}`

export { id as v4, id as v7 }
