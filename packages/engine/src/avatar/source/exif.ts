/** Of an APP1 segment's content (EXIF 2.32 section 4.7.2); 1, upright, when it says nothing sensible. */
export function exifOrientation(content: Uint8Array): number {
  const isExif = String.fromCharCode(...content.subarray(0, 6)) === 'Exif\0\0';
  return isExif ? orientationOfTiff(content.subarray(6)) : 1;
}

const orientationTag = 0x0112;

/** The Orientation tag of a TIFF structure's first directory. */
export function orientationOfTiff(tiff: Uint8Array): number {
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i += 1) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, little) === orientationTag) return sensible(view.getUint16(entry + 8, little));
  }
  return 1;
}

function sensible(orientation: number): number {
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}
