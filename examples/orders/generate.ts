/**
 * Prints a CSV of orders, always the same for the same number, with a malformed line here and there:
 *
 *   tsx examples/orders/generate.ts 520 > examples/orders/orders.csv
 */
import { chance } from "./chance.js"

const count = Number(process.argv[2] ?? 520)

const given = [
  "Ada",
  "Björn",
  "Carmen",
  "Dmitri",
  "Esther",
  "Fatima",
  "Gustav",
  "Hiroko",
  "Imran",
  "Joana",
  "Kofi",
  "Lena",
  "Mateo",
  "Nadia",
  "Oskar",
  "Priya",
  "Quentin",
  "Rosa",
  "Siobhán",
  "Tomasz",
  "Uma",
  "Viktor",
  "Wanjiru",
  "Yusuf"
]
const family = [
  "Almeida",
  "Bauer",
  "Castillo",
  "Dubois",
  "Eriksson",
  "Ferrari",
  "Grünwald",
  "Haddad",
  "Ito",
  "Jansen",
  "Kowalski",
  "Lindqvist",
  "Mensah",
  "Novak",
  "O'Brien",
  "Petrov",
  "Quiroga",
  "Rossi",
  "Sato",
  "Tanaka",
  "Underwood",
  "Varga",
  "Williams",
  "Zhang"
]
const streets = [
  "Harbour Street",
  "Mill Lane",
  "Rue des Lilas",
  "Bergstraße",
  "Via Garibaldi",
  "Kirkegata",
  "Plaza Mayor",
  "Station Road",
  "Jan van Galenstraat",
  "Market Square"
]
const cities = ["Lisbon", "Graz", "Oslo", "Lyon", "Utrecht", "Kraków", "Bologna", "Galway", "Uppsala", "Valencia"]
const goods: ReadonlyArray<readonly [sku: string, cents: number]> = [
  ["TEA-ASSAM-250", 1_290],
  ["TEA-SENCHA-100", 1_650],
  ["CUP-STONEWARE", 2_400],
  ["KETTLE-ENAMEL", 7_900],
  ["GRINDER-HAND", 11_950],
  ["LAMP-DESK-OAK", 14_900],
  ["BLANKET-WOOL", 18_900],
  ["KNIFE-CHEF-20", 12_450],
  ["PAN-CASTIRON-28", 8_990],
  ["SHELF-WALL-90", 16_500],
  ["CHAIR-BENTWOOD", 32_900],
  ["DESK-STANDING", 64_900],
  ["BIKE-CITY-7", 89_900],
  ["CAMERA-35MM", 124_900],
  ["RADIO-KITCHEN", 9_950],
  ["NOTEBOOK-A5-3", 1_870]
]

const one = <A>(values: ReadonlyArray<A>, ...words: ReadonlyArray<string | number>): A =>
  values[Math.floor(chance(0, ...words) * values.length)]!

const quoted = (field: string) => /[",\n]/.test(field) ? `"${field.replaceAll("\"", "\"\"")}"` : field

const order = (n: number) => {
  const first = one(given, "given", n)
  const last = one(family, "family", n)
  const [sku, cents] = one(goods, "sku", n)
  const quantity = 1 + Math.floor(chance(0, "quantity", n) ** 3 * 8)
  const email = `${first}.${last}@example.com`.toLowerCase().normalize("NFD").replaceAll(/[^a-z.@]/g, "")
  const address = `${1 + Math.floor(chance(0, "number", n) * 180)} ${one(streets, "street", n)}, ${
    one(cities, "city", n)
  }`
  return [
    `A-${1000 + n}`,
    `${first} ${last}`,
    email,
    address,
    sku,
    String(quantity),
    ((cents * quantity) / 100).toFixed(2)
  ]
}

const line = (fields: ReadonlyArray<string>) => fields.map(quoted).join(",")
const put = (fields: ReadonlyArray<string>, column: number, value: string) =>
  fields.map((field, index) => index === column ? value : field)

/** What people and programs do to a CSV, by the number of the order that it happens to. */
const damage: Readonly<Record<number, (fields: ReadonlyArray<string>) => string>> = {
  57: (fields) => line(fields.slice(0, 5)),
  131: (fields) => line(put(fields, 5, "two")),
  208: (fields) => line(put(fields, 6, "-12.90")),
  263: (fields) => line(put(fields, 2, "")),
  340: (fields) => `${fields[0]},"${line(fields.slice(1))}`,
  402: () => line(order(17)),
  471: (fields) => line([...fields, "gift", "wrap"])
}

console.log("order,customer,email,address,sku,quantity,total")
for (let n = 1; n <= count; n++) console.log(damage[n]?.(order(n)) ?? line(order(n)))
