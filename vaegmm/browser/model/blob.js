// Reads what blob.py writes: a header and named arrays. docs/browser.md gives the layout.

export const BLOB_VERSION = 2;

const MAGIC = "VAEGMM\r\n";
const START = 24; // bytes before the header
const ALIGNMENT = 8; // bytes: every array can be looked at where it lies
const ARRAY_TYPES = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};
const ADLER_MODULUS = 65521;
const ADLER_RUN = 5552; // bytes whose sums stay below 2^32

/**
 * Open a blob.
 *
 * @param {ArrayBuffer | Uint8Array} data
 * @returns {{header: object, array: (name: string, ...shape: number[]) => ArrayLike<number>}}
 *   `array` returns an array of the block, flat, row by row; float16 as float32. It throws if the
 *   array is missing or of another shape.
 * @throws {Error} if it is no blob, a newer or an older one, or damaged
 */
export function readBlob(data) {
  const bytes = aligned(data);
  if (bytes.length < START || String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC)
    throw new Error("blob must be a model written by vaegmm; got another kind of data.");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const version = view.getUint32(8, true);
  if (version > BLOB_VERSION)
    throw new Error(
      `blob must have version ${BLOB_VERSION}; got version ${version}. ` +
        "Update vaegmm, or reload the page if it has been updated.",
    );
  if (version < BLOB_VERSION)
    throw new Error(
      `blob must have version ${BLOB_VERSION}; got version ${version}. Export the model again.`,
    );
  const [checksum, headerLength, blockLength] = [12, 16, 20].map((at) => view.getUint32(at, true));
  const expected = START + headerLength + blockLength;
  if (bytes.length !== expected)
    throw damaged(`it has ${bytes.length} bytes where ${expected} are expected`);
  if (adler32(bytes.subarray(START)) !== checksum) throw damaged("its checksum is another");
  const header = parseHeader(bytes.subarray(START, START + headerLength));
  const block = bytes.subarray(START + headerLength);

  function array(name, ...shape) {
    const entry = Object.hasOwn(header.arrays, name) ? header.arrays[name] : null;
    if (!entry) throw damaged(`${name} is missing`);
    if (`${entry.shape}` !== `${shape}`)
      throw damaged(`${name} has shape ${entry.shape} where ${shape} is expected`);
    const length = shape.reduce((product, side) => product * side, 1);
    const Type = entry.dtype === "float16" ? Uint16Array : ARRAY_TYPES[entry.dtype];
    const end = entry.offset + length * Type?.BYTES_PER_ELEMENT;
    if (!(entry.offset >= 0 && end <= block.length)) throw damaged(`${name} lies outside of it`);
    const values = new Type(block.buffer, block.byteOffset + entry.offset, length);
    return entry.dtype === "float16" ? fromHalves(values) : values;
  }

  return { header, array };
}

/**
 * Turn finite float16 numbers into float32.
 *
 * Exponent and fraction of a half, moved to where a float32 has them, are the number divided by
 * 2^112, below float16's smallest normal number too.
 *
 * @param {Uint16Array} halves  their bits
 * @returns {Float32Array}
 */
function fromHalves(halves) {
  const numbers = new Float32Array(halves.length);
  const bits = new Uint32Array(numbers.buffer);
  for (let i = 0; i < halves.length; i++)
    bits[i] = ((halves[i] & 0x8000) << 16) | ((halves[i] & 0x7fff) << 13);
  for (let i = 0; i < numbers.length; i++) numbers[i] *= 2 ** 112;
  return numbers;
}

function parseHeader(bytes) {
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw damaged(`its header cannot be read (${error.message})`);
  }
  if (typeof header?.arrays !== "object" || header.arrays === null)
    throw damaged("its header names no arrays");
  return header;
}

/** The bytes where they are, or a copy where their place in the buffer suits no typed array. */
function aligned(data) {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return bytes.byteOffset % ALIGNMENT ? bytes.slice() : bytes;
}

/** The checksum that zlib uses. */
export function adler32(bytes) {
  let [low, high] = [1, 0];
  for (let start = 0; start < bytes.length; start += ADLER_RUN) {
    const end = Math.min(start + ADLER_RUN, bytes.length);
    for (let i = start; i < end; i++) high += low += bytes[i];
    low %= ADLER_MODULUS;
    high %= ADLER_MODULUS;
  }
  return high * 65536 + low;
}

function damaged(why) {
  return new Error(`blob is damaged: ${why}. Load it again.`);
}
