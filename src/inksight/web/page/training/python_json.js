// JSON as Python's `json` writes and reads it: the checksum of a model file is that of Python's text.

// A number as it is written, since 1 and 1.0 differ in Python.
class Literal {
  constructor(text) {
    this.text = text;
  }
}

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)|NaN)|(true|false|null))/y;
const WORDS = { true: true, false: false, null: null };

// Return the values of a text; numbers are kept as they are written.
export function parse(text) {
  let at = 0;
  const next = () => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`JSON at ${at}`);
    at = TOKEN.lastIndex;
    return match;
  };
  const expect = (mark, ...allowed) => { if (!allowed.includes(mark)) throw new Error(`JSON at ${at}`); return mark; };
  const read = ([, mark, string, digits, word]) => {
    if (string !== undefined) return JSON.parse(string);
    if (digits !== undefined) return new Literal(digits);
    if (word !== undefined) return WORDS[word];
    const isList = expect(mark, "{", "[") === "[", list = [], object = Object.create(null);
    for (let token = next(); token[1] !== (isList ? "]" : "}"); token = next()) {
      if (list.length) token = (expect(token[1], ","), next());
      if (isList) list.push(read(token));
      else {
        if (token[2] === undefined) throw new Error(`JSON at ${at}`);
        const name = JSON.parse(token[2]);
        expect(next()[1], ":");
        object[name] = read(next());
        list.push(name);
      }
    }
    return isList ? list : object;
  };
  const value = read(next());
  if (text.slice(at).trim()) throw new Error(`JSON at ${at}`);
  return value;
}

// Return values with JavaScript's numbers.
export function plain(value) {
  if (value instanceof Literal) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
  return value;
}

// Return the text that `json.dumps` writes; with `isSorted`, that of `sort_keys=True`.
export function dump(value, isSorted = false) {
  if (value instanceof Literal) return value.text;
  if (typeof value === "number") return numeral(value);
  if (typeof value === "string") return JSON.stringify(value).replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (Array.isArray(value)) return `[${value.map((one) => dump(one, isSorted)).join(", ")}]`;
  if (value && typeof value === "object") {
    const names = Object.keys(value);
    return `{${(isSorted ? names.sort() : names).map((name) => `${dump(name)}: ${dump(value[name], isSorted)}`).join(", ")}}`;
  }
  return String(value);
}

// Return a number as Python writes it: whole ones without a point, and an exponent below 1e-4 and from 1e16 up.
function numeral(value) {
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) return String(value);
  const [mantissa, exponent] = value.toExponential().split("e"), power = Number(exponent);
  if (power >= -4 && power < 16) return String(value); // JavaScript writes exponents only beyond
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
