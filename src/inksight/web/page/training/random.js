// Random numbers of NumPy's `default_rng`, to the last bit: PCG64, which starts from a hash of several numbers.

const MULTIPLIER = [0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05]; // 32 bits each, the lowest first

export class Generator {
  // Start from whole numbers, each from 0 to 2**32 - 1.
  constructor(numbers) {
    const words = wordsOf(numbers);
    // Numbers of 128 bits are four words, the lowest first. NumPy's words of 64 bits have the high one of each first.
    const sequence = [words[6], words[7], words[4], words[5]], start = [words[2], words[3], words[0], words[1]];
    this.increment = Uint32Array.from(sequence, (word, i) => (word << 1) | (i ? sequence[i - 1] >>> 31 : 1)); // odd
    let sum = 0;
    this.state = Uint32Array.from(this.increment, (word, i) => (sum = carry(sum) + word + start[i]));
    this.step();
    this.kept = null; // the high half of a number of which the low half has been used
  }

  // Multiply the state, add the increment. The products of words are written out, because this takes most of the time.
  step() {
    const { state, increment } = this, a0 = state[0], a1 = state[1], a2 = state[2], a3 = state[3]; // faster than [a0, ...]
    const b0 = MULTIPLIER[0], b1 = MULTIPLIER[1], b2 = MULTIPLIER[2], b3 = MULTIPLIER[3];
    const first = low(a0, b0) + increment[0];
    const second = carry(first) + high(a0, b0) + low(a0, b1) + low(a1, b0) + increment[1];
    const third = carry(second) + high(a0, b1) + high(a1, b0) + low(a0, b2) + low(a1, b1) + low(a2, b0) + increment[2];
    const fourth = carry(third) + high(a0, b2) + high(a1, b1) + high(a2, b0) + low(a0, b3) + low(a1, b2) + low(a2, b1) + low(a3, b0) + increment[3];
    state[0] = first; // a Uint32Array keeps the low 32 bits
    state[1] = second;
    state[2] = third;
    state[3] = fourth;
  }

  // Return the next 64 bits as two numbers: the low half, then the high one.
  next64() {
    this.step();
    const a = this.state[0], b = this.state[1], c = this.state[2], d = this.state[3], low = a ^ c, high = b ^ d, turn = d >>> 26;
    const [x, y] = turn & 32 ? [high, low] : [low, high], by = turn & 31;
    return by ? [((x >>> by) | (y << (32 - by))) >>> 0, ((y >>> by) | (x << (32 - by))) >>> 0] : [x >>> 0, y >>> 0];
  }

  next32() {
    const { kept } = this;
    if (kept !== null) {
      this.kept = null;
      return kept;
    }
    const [low, high] = this.next64();
    this.kept = high;
    return low;
  }

  // Return a number from 0 to below 1 in double precision.
  double() {
    const [low, high] = this.next64();
    return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
  }

  // Return a number from 0 to below 1 in single precision.
  float() {
    return (this.next32() >>> 8) / 2 ** 24;
  }

  // Return a whole number from 0 to `most`, by rejection.
  integer(most) {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = this.next32() & mask;
      if (value <= most) return value;
    }
  }

  // Return the numbers 0 to n - 1 in random order.
  permutation(n) {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i), value = order[i];
      order[i] = order[j];
      order[j] = value;
    }
    return order;
  }
}

// Return eight words of NumPy's `SeedSequence`.
function wordsOf(numbers) {
  const mix = (x, y) => {
    const value = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y);
    return value ^ (value >>> 16);
  };
  const makeHash = (factor, multiplier) => (number) => {
    const value = number ^ factor;
    factor = Math.imul(factor, multiplier);
    const mixed = Math.imul(value, factor);
    return mixed ^ (mixed >>> 16);
  };
  const hash = makeHash(0x43b0d7e5, 0x931e8875), pool = Array.from({ length: 4 }, (_, i) => hash(numbers[i] ?? 0));
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  const finish = makeHash(0x8b51f9dd, 0x58f38ded);
  return Array.from({ length: 8 }, (_, i) => finish(pool[i % 4]) >>> 0);
}

const low = (a, b) => Math.imul(a, b) >>> 0;
const carry = (sum) => Math.floor(sum / 2 ** 32);

// Return the high 32 bits of the product of two words.
function high(a, b) {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16), other = a0 * b1 + (middle & 0xffff);
  return a1 * b1 + (middle >>> 16) + (other >>> 16);
}
