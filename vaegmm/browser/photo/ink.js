// The ink of a photo, as it comes from Python.

/**
 * Unpack ink: bytes, row by row, compressed (zlib), in base64.
 *
 * @param {{ink: string, width: number, height: number}} sent
 * @returns {Promise<{strength: Uint8Array, width: number, height: number}>}
 */
export async function inkOf({ ink, width, height }) {
  const packed = Uint8Array.from(atob(ink), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const strength = new Uint8Array(await new Response(stream).arrayBuffer());
  return { strength, width, height };
}
