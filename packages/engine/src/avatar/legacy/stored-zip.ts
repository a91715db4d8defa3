/** End of central directory and central directory header: PKWARE APPNOTE 6.3.10, 4.3.16 and 4.3.12. */
const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endBytes = 22;
const longestComment = 65_535;
const mostEntries = 65_534;
/** PyTorch's are shorter, bytes. */
const longestName = 255;

/** The files of a zip whose entries are stored as they are, as PyTorch writes it. Throws `RangeError` for any other. */
export function readStoredZip(file: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  if (count > mostEntries) throw new RangeError('the zip has too many entries');
  const entries = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i += 1) {
    if (view.getUint32(at, true) !== entrySignature) throw new RangeError('the zip is damaged');
    const [nameLength = 0, extraLength = 0, commentLength = 0] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    if (nameLength > longestName) throw new RangeError('an entry of the zip has too long a name');
    const name = new TextDecoder().decode(file.subarray(at + 46, at + 46 + nameLength));
    if (view.getUint16(at + 10, true) !== 0) throw new RangeError('an entry of the zip is compressed');
    entries.set(name, contentOf(file, view, { header: view.getUint32(at + 42, true), bytes: view.getUint32(at + 24, true) }));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

function endOf(view: DataView): number {
  for (let at = view.byteLength - endBytes; at >= Math.max(0, view.byteLength - endBytes - longestComment); at -= 1) {
    if (view.getUint32(at, true) === endSignature) return at;
  }
  throw new RangeError('this is no zip');
}

function contentOf(file: Uint8Array, view: DataView, { header, bytes }: { readonly header: number; readonly bytes: number }): Uint8Array {
  if (view.getUint32(header, true) !== localSignature) throw new RangeError('the zip is damaged');
  const from = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (from + bytes > file.length) throw new RangeError('the zip is damaged');
  return file.subarray(from, from + bytes);
}
