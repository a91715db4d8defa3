import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

/** NIST SP 800-38D section 8.2.2: random 96-bit nonces. */
const nonceBytes = 12;
export const tagBytes = 16;

/** AES-256-GCM; the result is nonce, ciphertext, tag. */
export function encrypt(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the bytes, the key or `aad` are not those of the encryption. */
export function decrypt(key: KeyObject, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
  const bytes = Buffer.from(sealed);
  const nonce = bytes.subarray(0, nonceBytes);
  const tag = bytes.subarray(bytes.length - tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(aad).setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes)), decipher.final()]);
}
