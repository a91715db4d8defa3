import { boxesName } from '../legacy/archive.ts';
import type { ClipContainer } from './clip.ts';

/** The first bytes that are enough to tell; more do no harm. */
export const sniffedBytes = 4096;

/**
 * The container by what the file holds, never by what it is called. Null is everything that is no clip: above all playlists
 * and descriptions (m3u8, concat, cue, SMIL, SDP, SVG), which name other files and hosts for a careless reader to open.
 */
export function sniff(head: Uint8Array): ClipContainer | null {
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (startsWith(head, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (startsWith(head, [0x1a, 0x45, 0xdf, 0xa3])) return isMatroska(head) ? 'webm' : null;
  if (text(head, 0, boxesName.length + 1) === `${boxesName}\0` && text(head, 257, 263) === 'ustar\0') return 'legacy';
  return isFilm(head) ? 'mp4' : null;
}

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return head.length > bytes.length && bytes.every((byte, i) => head[i] === byte);
}

/** Brands of ISO 14496-12 files that hold photos, not films: HEIF, AVIF, JPEG 2000, Canon's raw. */
const photoBrands = /^(?:hei[cxms]|hev[cxms]|mif[12]|msf1|avi[fs]|avci|jp2 |jpx |jpm |crx )$/;

/** A file type box (ISO 14496-12 section 4.3) must come first; what is older than that no telephone records any more. */
function isFilm(head: Uint8Array): boolean {
  if (head.length < 16 || text(head, 4, 8) !== 'ftyp') return false;
  const size = new DataView(head.buffer, head.byteOffset).getUint32(0);
  const brand = text(head, 8, 12);
  return size >= 16 && size <= 4096 && /^[\x20-\x7e]{4}$/.test(brand) && !photoBrands.test(brand);
}

/** The EBML header (RFC 8794 section 11.2) says in its DocType what the file is. */
function isMatroska(head: Uint8Array): boolean {
  const header = vint(head, 4);
  if (header === null) return false;
  const end = Math.min(head.length, header.next + header.value);
  let at = header.next;
  while (at < end) {
    const id = elementId(head, at);
    const size = vint(head, at + idLength(head[at] ?? 0));
    if (id === null || size === null) return false;
    if (id === docType)
      return ['webm', 'matroska'].includes(text(head, size.next, Math.min(end, size.next + size.value)).replace(/\0+$/, ''));
    at = size.next + size.value;
  }
  return false;
}

const docType = 0x4282;

/** Bytes of an element id: as many as its first byte has leading zeros, and one. */
function idLength(first: number): number {
  return Math.clz32(first) - 23;
}

function elementId(head: Uint8Array, at: number): number | null {
  const length = idLength(head[at] ?? 0);
  if (length > 4 || at + length > head.length) return null;
  return head.subarray(at, at + length).reduce((id, byte) => id * 256 + byte, 0);
}

/** A number of variable length (RFC 8794 section 4), and where the next thing begins. */
function vint(head: Uint8Array, at: number): { value: number; next: number } | null {
  const first = head[at] ?? 0;
  const length = idLength(first);
  if (length > 8 || at + length > head.length) return null;
  const value = head.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, first & (0xff >> length));
  return { value, next: at + length };
}

function text(head: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...head.subarray(from, to));
}
