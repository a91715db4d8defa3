/* Which pixels of a parsed face MuseTalk may replace: musetalk/utils/face_parsing/__init__.py upstream. */

/** Of the parsing model's picture, px. */
export const parsingSize = 512;
const labels = { skin: 1, nose: 10, mouth: 11, upperLip: 12, lowerLip: 13, neck: 14 } as const;

/** 'jaw': weights of version 1.5; 'raw': 1.0. */
export type MaskMode = 'raw' | 'jaw' | 'neck';

/** One row of a structuring element: columns `from` to `to` (inclusive) at `down` rows below its anchor. */
interface Run {
  readonly down: number;
  readonly from: number;
  readonly to: number;
}

/** 33 x 33, anchored at its middle: a cone from row 10 to row 20, and as wide as its foot, 21 px, from there on. */
const cone: readonly Run[] = Array.from({ length: 23 }, (_, index) => {
  const half = Math.min(index, 10);
  return { down: index + 10 - 16, from: -half, to: half };
});

/** `cv2.getStructuringElement(MORPH_ELLIPSE, (35, 3))`: at its height of 1 the ellipse has no width left. */
const flatEllipse: readonly Run[] = [
  { down: -1, from: 0, to: 0 },
  { down: 0, from: -17, to: 17 },
  { down: 1, from: 0, to: 0 },
];

/** Half of what is left of the cheeks' erosion, px from the middle. */
const chinHalfWidth = 90;

/** Of 0 and 1, [512, 512]. */
type Region = Uint8Array;

/** Beyond the edges there is nothing to spread or to wear off, as in cv2. */
function morphed(region: Region, element: readonly Run[], operation: 'dilate' | 'erode'): Region {
  const stride = parsingSize + 1;
  /** Of each row: how many set pixels lie before each column. */
  const before = new Uint16Array(stride * parsingSize);
  for (let row = 0; row < parsingSize; row += 1) {
    for (let column = 0; column < parsingSize; column += 1) {
      before[row * stride + column + 1] = (before[row * stride + column] ?? 0) + (region[row * parsingSize + column] ?? 0);
    }
  }
  const matches = (row: number, column: number) => (run: Run) => {
    const line = row + run.down;
    if (line < 0 || line >= parsingSize) return operation === 'erode';
    const from = Math.max(0, column + run.from);
    const to = Math.min(parsingSize, column + run.to + 1);
    const set = (before[line * stride + to] ?? 0) - (before[line * stride + from] ?? 0);
    return operation === 'dilate' ? set > 0 : set === to - from;
  };
  return region.map((_, index) => {
    const match = matches(Math.floor(index / parsingSize), index % parsingSize);
    return (operation === 'dilate' ? element.some(match) : element.every(match)) ? 1 : 0;
  });
}

function jaw(classes: Uint8Array): Region {
  const dilated = morphed(
    classes.map((label) => (label === labels.skin ? 1 : 0)),
    cone,
    'dilate',
  );
  const eroded = morphed(morphed(dilated, flatEllipse, 'erode'), flatEllipse, 'erode');
  const middle = parsingSize / 2;
  return classes.map((label, index) => {
    if (label >= labels.mouth && label <= labels.lowerLip) return 1;
    if (label === labels.nose) return 0;
    const column = index % parsingSize;
    const cheek = column <= middle - chinHalfWidth || column >= middle + chinHalfWidth;
    return (cheek ? eroded[index] : dilated[index]) ?? 0;
  });
}

/** `classes`: the likeliest of the model's 19 at each pixel, [512, 512]. Gives 255 where the face may be replaced. */
export function parsingMask(classes: Uint8Array, mode: MaskMode): Uint8Array {
  if (classes.length !== parsingSize * parsingSize)
    throw new RangeError(`a parsed face has ${parsingSize ** 2} pixels, not ${classes.length}`);
  if (mode === 'jaw') return jaw(classes).map((set) => set * 255);
  const last = mode === 'neck' ? labels.neck : labels.lowerLip;
  return classes.map((label) => (label === labels.skin || (label >= labels.mouth && label <= last) ? 255 : 0));
}
