// Zip archives: written without compression, because pictures are compressed already, and read.

const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50; // signatures
const UTF8 = 1 << 11, ENCRYPTED = 1; // flags
const EPOCH = 0x21; // 1 January 1980: the date of the files
const MAX_FILES = 25000, MAX_BYTES = 2 ** 27; // of all files, unpacked
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function checksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

// Return bytes: each [size in bytes, value], the lowest byte first.
function pack(...fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of fields) for (let i = 0; i < size; i++) bytes[at++] = Math.floor(value / 256 ** i) & 255;
  return bytes;
}

// Return the parts of a Blob: an archive of files, each {path, bytes}.
export function writeZip(files) {
  const parts = [], central = [];
  let at = 0;
  for (const { path, bytes } of files) {
    const name = new TextEncoder().encode(path), size = bytes.length;
    const common = [[2, 20], [2, UTF8], [2, 0], [2, 0], [2, EPOCH], [4, checksum(bytes)], [4, size], [4, size], [2, name.length], [2, 0]];
    const head = pack([4, LOCAL], ...common);
    parts.push(head, name, bytes);
    central.push(pack([4, CENTRAL], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), name);
    at += head.length + name.length + size;
  }
  const length = central.reduce((sum, part) => sum + part.length, 0);
  return [...parts, ...central, pack([4, END], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length], [4, at], [2, 0])];
}

// Return the files of an archive, each {path, bytes}. Throws an error if it is damaged, encrypted, or too large.
export async function readZip(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), decoder = new TextDecoder();
  let end = bytes.length - 22;
  const isEnd = (place) => view.getUint32(place, true) === END && place + 22 + view.getUint16(place + 20, true) === bytes.length;
  while (end >= 0 && !isEnd(end)) end--;
  if (end < 0) throw new RangeError("no archive");
  const count = view.getUint16(end + 10, true), files = [];
  if (count > MAX_FILES) throw new RangeError("too many files");
  let at = view.getUint32(end + 16, true), left = MAX_BYTES;
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== CENTRAL || view.getUint16(at + 8, true) & ENCRYPTED) throw new RangeError("damaged or encrypted");
    const [packed, size] = [20, 24].map((offset) => view.getUint32(at + offset, true));
    const [length, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const path = decoder.decode(bytes.subarray(at + 46, at + 46 + length));
    if (!path.endsWith("/")) {
      left -= size;
      if (left < 0) throw new RangeError("too large");
      const local = view.getUint32(at + 42, true);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const content = await unpack(bytes.subarray(start, start + packed), view.getUint16(at + 10, true), size);
      if (checksum(content) !== view.getUint32(at + 16, true)) throw new RangeError("damaged");
      files.push({ path, bytes: content });
    }
    at += 46 + length + extra + comment;
  }
  return files;
}

// Return the content of a file, which must have `size` bytes: no more of it is unpacked.
async function unpack(bytes, method, size) {
  if (method === 0 && bytes.length === size) return bytes;
  if (method !== 8) throw new RangeError("unknown compression");
  const content = new Uint8Array(size), reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  for (let at = 0; ;) {
    const { done, value } = await reader.read();
    if (done && at === size) return content;
    if (done || at + value.length > size) throw new RangeError("damaged");
    content.set(value, at);
    at += value.length;
  }
}
