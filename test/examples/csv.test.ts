/**
 * The order file: what is malformed is named with its line, and the rest goes on.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import * as Csv from "../../examples/orders/csv.js"

const header = "order,customer,email,address,sku,quantity,total"
const good = "A-1,Ada,ada@example.com,\"1 Home Street, Oslo\",TEA,2,42.10"

const read = (...lines: ReadonlyArray<string>) => Csv.read([header, ...lines].join("\n"))

describe("csv", () => {
  it("reads an order, with its money in cents", () => {
    assert.deepStrictEqual(read(good), {
      orders: [{
        id: "A-1",
        customer: "Ada",
        email: "ada@example.com",
        address: "1 Home Street, Oslo",
        sku: "TEA",
        quantity: 2,
        total: 4_210
      }],
      malformed: []
    })
  })

  it("money keeps every cent, whatever the digits", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 99_999_999_999 }), (cents) => {
      const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`
      assert.strictEqual(read(good.replace("42.10", text)).orders[0]?.total, cents)
    }))
  })

  const spoilt: ReadonlyArray<readonly [what: string, line: string, reason: RegExp]> = [
    ["too few fields", "A-2,Ada,ada@example.com", /3 fields instead of 7/],
    ["too many fields", `${good.replace("A-1", "A-2")},gift`, /8 fields instead of 7/],
    ["a number in words", good.replace("TEA,2", "TEA,two"), /quantity is not a whole number/],
    ["a negative amount", good.replace("42.10", "-42.10"), /total is not an amount/],
    ["an amount of nothing", good.replace("42.10", "0.00"), /total is not above 0/],
    ["a third decimal", good.replace("42.10", "42.105"), /total is not an amount/],
    ["no customer", good.replace("Ada", " "), /customer is missing/],
    ["no mail address", good.replace("ada@example.com", "ada"), /email is not/],
    ["two faults at once", good.replace("TEA,2,42.10", "TEA,0,x"), /quantity is not.*; total is not/],
    ["a quote that is never closed", good.replace("Ada", "\"Ada"), /quote/],
    ["a quote in the middle", good.replace("Ada", "A\"d\"a"), /quote/i],
    ["an order that is there already", good, /A-1 stands in line 2 already/]
  ]
  for (const [what, line, reason] of spoilt) {
    it(`names the line of ${what}, and goes on`, () => {
      const { malformed, orders } = read(good, line, good.replace("A-1", "A-9"))
      assert.deepStrictEqual(orders.map(({ id }) => id), ["A-1", "A-9"])
      assert.deepStrictEqual(malformed.map(({ line }) => line), [3])
      assert.match(malformed[0]!.reason, reason)
    })
  }

  it("a field over several lines is one record, and later lines keep their numbers", () => {
    const { malformed, orders } = read(good.replace("1 Home Street, Oslo", "1 Home Street\nOslo"), "what is this")
    assert.deepStrictEqual(orders.map(({ address }) => address), ["1 Home Street\nOslo"])
    assert.deepStrictEqual(malformed.map(({ line }) => line), [4])
  })

  it("takes columns in any order, line ends of any kind, a byte order mark, and empty lines", () => {
    const text = "\uFEFFTotal,Order,Customer,Email,Address,SKU,Quantity\r\n\r\n1.00,A-1,Ada,a@b,Home,TEA,1\r\n\r\n"
    const { malformed, orders } = Csv.read(text)
    assert.deepStrictEqual(malformed, [])
    assert.deepStrictEqual(orders.map(({ id, total }) => [id, total]), [["A-1", 100]])
  })

  it("says which columns a header lacks", () => {
    assert.deepStrictEqual(Csv.read("order,customer\nA-1,Ada"), {
      orders: [],
      malformed: [{ line: 1, reason: "the header has no column email, address, sku, quantity, total" }]
    })
  })

  it("never fails, whatever it is given", () => {
    fc.assert(fc.property(fc.array(fc.string()), (lines) => {
      const { malformed, orders } = read(...lines)
      assert.isAtMost(malformed.length + orders.length, lines.join("\n").split(/\r?\n/).length)
    }))
  })

  it("the file that comes with the example has its 500 orders, and its malformed lines", () => {
    const { malformed, orders } = Csv.read(
      readFileSync(new URL("../../examples/orders/orders.csv", import.meta.url), "utf8")
    )
    assert.isAtLeast(orders.length, 500)
    assert.deepStrictEqual(malformed.map(({ line }) => line), [58, 132, 209, 264, 341, 403, 472])
  })
})
