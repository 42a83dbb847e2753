// Writes .npz files: a ZIP archive, uncompressed, of .npy arrays, as numpy.load reads them.

const DESCRIPTIONS = {
  Uint8Array: "|u1",
  Uint16Array: "<u2",
  Uint32Array: "<u4",
  Int32Array: "<i4",
  Float32Array: "<f4",
  Float64Array: "<f8",
};
const NPY_ALIGNMENT = 64;
const ZIP_DATE = 0x21; // the first of January 1980: the same arrays give the same bytes

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
    record(0x04034b50, ...fields, [0, 2]),
    path,
    content,
  ]);
  const directory = files.flatMap(({ path, fields, offset }) => [
    record(0x02014b50, [20, 2], ...fields, [0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]),
    path,
  ]);
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const n = [files.length, 2];
  const end = record(0x06054b50, [0, 2], [0, 2], n, n, [size, 4], [offset, 4], [0, 2]);
  return joined([...parts, ...directory, end]);
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
