/** Even numbers, px. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface I420Picture {
  /** Y, U and V planes one after the other. */
  readonly data: Uint8Array;
  /** px */
  readonly width: number;
  readonly height: number;
}

/** Writes opaque RGBA pixels of `box` into the picture: BT.601, video range, as browsers take WebRTC video to be. */
export function writeRgba(picture: I420Picture, box: Box, rgba: Uint8Array | Uint8ClampedArray): void {
  for (let row = 0; row < box.height; row += 1) writeLumaRow(picture, { box, row }, rgba);
  for (let row = 0; row < box.height; row += 2) writeChromaRow(picture, { box, row }, rgba);
}

interface BoxRow {
  readonly box: Box;
  readonly row: number;
}

function writeLumaRow({ data, width }: I420Picture, { box, row }: BoxRow, rgba: Uint8Array | Uint8ClampedArray): void {
  let from = row * box.width * 4;
  const start = (box.y + row) * width + box.x;
  for (let to = start; to < start + box.width; to += 1, from += 4) {
    data[to] = (66 * at(rgba, from) + 129 * at(rgba, from + 1) + 25 * at(rgba, from + 2) + 4224) >> 8;
  }
}

function writeChromaRow({ data, width, height }: I420Picture, { box, row }: BoxRow, rgba: Uint8Array | Uint8ClampedArray): void {
  const chromaWidth = width >> 1;
  const planeU = width * height;
  const planeV = planeU + chromaWidth * (height >> 1);
  const stride = box.width * 4;
  let from = row * stride;
  const start = ((box.y + row) >> 1) * chromaWidth + (box.x >> 1);
  for (let to = start; to < start + (box.width >> 1); to += 1, from += 8) {
    const r = at(rgba, from) + at(rgba, from + 4) + at(rgba, from + stride) + at(rgba, from + stride + 4);
    const g = at(rgba, from + 1) + at(rgba, from + 5) + at(rgba, from + stride + 1) + at(rgba, from + stride + 5);
    const b = at(rgba, from + 2) + at(rgba, from + 6) + at(rgba, from + stride + 2) + at(rgba, from + stride + 6);
    data[planeU + to] = (-38 * r - 74 * g + 112 * b + 131_584) >> 10;
    data[planeV + to] = (112 * r - 94 * g - 18 * b + 131_584) >> 10;
  }
}

function at(bytes: Uint8Array | Uint8ClampedArray, index: number): number {
  return bytes[index] ?? 0;
}
