// Writes and reads .npz files: a ZIP archive, uncompressed, of .npy arrays, as numpy.savez does.

const DESCRIPTIONS = {
  Uint8Array: "|u1",
  Uint16Array: "<u2",
  Uint32Array: "<u4",
  Int32Array: "<i4",
  Float32Array: "<f4",
  Float64Array: "<f8",
};
const ARRAY_TYPES = {
  "|u1": Uint8Array,
  "<u2": Uint16Array,
  "<u4": Uint32Array,
  "<i4": Int32Array,
  "<i8": BigInt64Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
};
const NPY_ALIGNMENT = 64;
const ZIP_DATE = 0x21; // the first of January 1980: the same arrays give the same bytes
const [LOCAL, ENTRY, END] = [0x04034b50, 0x02014b50, 0x06054b50]; // signatures of ZIP's records
const END_LENGTH = 22;
const LONGEST_COMMENT = 65535;
const REMEDY = "Write it with numpy.savez";

/**
 * @param {Object<string, {data: TypedArray, shape: number[]}>} arrays
 * @returns {Uint8Array}
 */
export function toNpz(arrays) {
  const files = [];
  let offset = 0;
  for (const [name, { data, shape }] of Object.entries(arrays)) {
    const path = new TextEncoder().encode(`${name}.npy`);
    const content = toNpy(data, shape);
    const fields = [20, 0, 0, 0, ZIP_DATE].map((value) => [value, 2]);
    fields.push([crc32(content), 4], [content.length, 4], [content.length, 4], [path.length, 2]);
    files.push({ path, content, fields, offset });
    offset += 30 + path.length + content.length;
  }
  const parts = files.flatMap(({ path, content, fields }) => [
    record(LOCAL, ...fields, [0, 2]),
    path,
    content,
  ]);
  const directory = files.flatMap(({ path, fields, offset }) => [
    record(ENTRY, [20, 2], ...fields, [0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]),
    path,
  ]);
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const n = [files.length, 2];
  const end = record(END, [0, 2], [0, 2], n, n, [size, 4], [offset, 4], [0, 2]);
  return joined([...parts, ...directory, end]);
}

/**
 * Read arrays of numbers. Nothing is unpacked or unpickled: what is compressed, encrypted, larger
 * than a ZIP of 32 bits, of another byte order, of objects or column by column is refused.
 *
 * @param {ArrayBuffer | Uint8Array} data
 * @returns {Object<string, {data: TypedArray, shape: number[]}>}  whole numbers of 64 bits as
 *   Float64Array
 * @throws {Error} if it is no such file, or damaged
 */
export function fromNpz(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at) => view.getUint16(at, true);
  const u32 = (at) => view.getUint32(at, true);
  let end = bytes.length - END_LENGTH;
  const first = Math.max(0, end - LONGEST_COMMENT);
  while (end >= first && u32(end) !== END) end--;
  if (end < first) throw new Error(`file must be a .npz; got another kind of data. ${REMEDY}.`);
  const arrays = {};
  try {
    for (let n = u16(end + 10), at = u32(end + 16); n > 0; n--) {
      if (u32(at) !== ENTRY) throw new Error("an entry is missing");
      const [flags, method, sum, size] = [u16(at + 8), u16(at + 10), u32(at + 16), u32(at + 20)];
      const [pathLength, extra, comment] = [u16(at + 28), u16(at + 30), u16(at + 32)];
      const local = u32(at + 42);
      const path = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + pathLength));
      if (method || flags & 1) throw new Error(`${path} is compressed or encrypted`);
      if (u32(local) !== LOCAL) throw new Error(`${path} is not where it should be`);
      // The local header's own extra field may be another: numpy leaves room for large files.
      const start = local + 30 + u16(local + 26) + u16(local + 28);
      const content = bytes.subarray(start, start + size);
      if (content.length !== size) throw new Error(`${path} ends too early`);
      if (crc32(content) !== sum) throw new Error(`${path} has another checksum`);
      arrays[path.replace(/\.npy$/, "")] = fromNpy(content, path);
      at += 46 + pathLength + extra + comment;
    }
  } catch (error) {
    const why = error instanceof RangeError ? "it ends too early" : error.message;
    throw new Error(`file cannot be read: ${why}. ${REMEDY}.`);
  }
  return arrays;
}

/** Read one array. */
function fromNpy(bytes, path) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x934e554d) throw new Error(`${path} is no array`); // "\x93NUM"
  const isFirst = view.getUint8(6) === 1; // version 1 has a header of at most 64 kB
  const start = isFirst ? 10 : 12;
  const length = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const [, description] = /'descr': *'([^']*)'/.exec(header) ?? [];
  const [, sides] = /'shape': *\(([\d, ]*)\)/.exec(header) ?? [];
  const Type = Object.hasOwn(ARRAY_TYPES, description ?? "") ? ARRAY_TYPES[description] : null;
  if (!Type || sides === undefined) throw new Error(`${path} holds no numbers of a common type`);
  const shape = sides.split(",").filter((side) => side.trim()).map(Number);
  if (shape.length > 1 && /'fortran_order': *True/.test(header))
    throw new Error(`${path} lies column by column`);
  const n = shape.reduce((product, side) => product * side, 1);
  const content = bytes.slice(start + length); // where any type of array may begin
  if (content.length !== n * Type.BYTES_PER_ELEMENT)
    throw new Error(`${path} holds other numbers than it says`);
  const data = new Type(content.buffer);
  return { data: Type === BigInt64Array ? Float64Array.from(data, Number) : data, shape };
}

/** Write one array, row by row. */
function toNpy(data, shape) {
  const description = DESCRIPTIONS[data.constructor.name];
  if (!description || shape.reduce((product, side) => product * side, 1) !== data.length)
    throw new Error(`data must be a typed array of shape ${shape}; got ${data.length} numbers.`);
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${description}', 'fortran_order': False, 'shape': (${sides}), }`;
  const length = Math.ceil((header.length + 11) / NPY_ALIGNMENT) * NPY_ALIGNMENT;
  const start = Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0);
  const text = new TextEncoder().encode(`${header.padEnd(length - 11)}\n`);
  const size = Uint8Array.of(text.length & 255, text.length >> 8);
  return joined([start, size, text, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

/** The checksum that ZIP and PNG use. */
export function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ CRC_TABLE[(sum ^ byte) & 255];
  return (sum ^ 0xffffffff) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** A signature and fields of so many bytes, little-endian. */
function record(signature, ...fields) {
  const all = [[signature, 4], ...fields];
  const bytes = new Uint8Array(all.reduce((sum, [, size]) => sum + size, 0));
  let at = 0;
  for (const [value, size] of all)
    for (let i = 0; i < size; i++) bytes[at++] = Math.floor(value / 256 ** i) % 256;
  return bytes;
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
