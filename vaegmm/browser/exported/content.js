// What an exported page holds, in base64.

/**
 * @param {string} encoded
 * @returns {Uint8Array}
 * @throws {Error} if it is no base64
 */
export function bytesOf(encoded) {
  let text;
  try {
    text = atob(encoded.trim());
  } catch {
    throw new Error("blob is damaged: it is no base64. Export it again.");
  }
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
