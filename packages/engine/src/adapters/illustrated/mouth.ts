import type { Lips } from '../../avatar/lips.ts';
import { type Brush, glow, inside, middle, path, vertical } from './brush.ts';
import type { Look } from './look.ts';

/** Height of the line between closed lips, px. */
export const mouthY = 305;

/** The edges of an open mouth, px from the middle of the closed one; down is positive. */
interface Edges {
  readonly corner: number;
  readonly cornerY: number;
  readonly top: number;
  readonly bottom: number;
  readonly upperLip: number;
  readonly lowerLip: number;
}

export function paintMouth(brush: Brush, lips: Lips, look: Look): void {
  const edges = edgesOf(lips);
  brush.save();
  brush.translate(middle, mouthY);
  glow(brush, [0, edges.bottom + edges.lowerLip + 9, lips.halfWidth * 0.7, 6], `${look.skin.deep}59`);
  const opening = path(openingOf(edges, lips));
  paintLips(brush, edges, { lips, look });
  if (lips.gap > 1) inside(brush, opening, () => paintInterior(brush, edges, lips));
  paintSeam(brush, edges, { lips, look });
  brush.restore();
}

function edgesOf({ gap, halfWidth, pucker, press, tuck, smile }: Lips): Edges {
  const open = Math.max(0, gap - tuck * 2);
  return {
    corner: halfWidth,
    cornerY: open * 0.12 - smile * 5.5,
    top: -open * 0.3,
    bottom: open * 0.7,
    upperLip: 8.5 + pucker * 3 - press * 4 - gap * 0.05,
    lowerLip: 11.5 + pucker * 2 - press * 5.5 - tuck * 6 - gap * 0.05,
  };
}

/** The inner edge of the lips, closed or open. */
function openingOf({ corner, cornerY, top, bottom }: Edges, { pucker }: Lips): string {
  const inner = corner - 3.5 - pucker * 2;
  // A pucker makes a ring, a spread mouth a lens.
  const full = inner * (0.55 + 0.25 * pucker);
  return (
    `M ${-inner} ${cornerY} C ${-full} ${top * 1.02 + cornerY * 0.25} ${-full * 0.45} ${top * 1.05} 0 ${top}` +
    `C ${full * 0.45} ${top * 1.05} ${full} ${top * 1.02 + cornerY * 0.25} ${inner} ${cornerY}` +
    `C ${full * 1.05} ${bottom * 0.95 + cornerY * 0.3} ${full * 0.55} ${bottom + 0.8} 0 ${bottom + 0.8}` +
    `C ${-full * 0.55} ${bottom + 0.8} ${-full * 1.05} ${bottom * 0.95 + cornerY * 0.3} ${-inner} ${cornerY} Z`
  );
}

function paintLips(brush: Brush, edges: Edges, { lips, look }: { readonly lips: Lips; readonly look: Look }): void {
  const { corner, cornerY, top, bottom, upperLip, lowerLip } = edges;
  const bow = corner * 0.2;
  const crest = top - upperLip;
  const upper = path(
    `M ${-corner} ${cornerY} C ${-corner * 0.66} ${cornerY + (crest - cornerY) * 0.62} ${-corner * 0.4} ${crest - 0.6} ${-bow} ${crest}` +
      `Q 0 ${crest + upperLip * 0.32} 0 ${crest + upperLip * 0.3} Q 0 ${crest + upperLip * 0.32} ${bow} ${crest}` +
      `C ${corner * 0.4} ${crest - 0.6} ${corner * 0.66} ${cornerY + (crest - cornerY) * 0.62} ${corner} ${cornerY}` +
      `C ${corner * 0.5} ${bottom + 2} ${-corner * 0.5} ${bottom + 2} ${-corner} ${cornerY} Z`,
  );
  const full = bottom + lowerLip;
  const wide = corner * (0.5 + 0.22 * lips.pucker);
  const lower = path(
    `M ${-corner} ${cornerY} C ${-corner * 0.86} ${cornerY + (full - cornerY) * 0.55} ${-wide} ${full} 0 ${full}` +
      `C ${wide} ${full} ${corner * 0.86} ${cornerY + (full - cornerY) * 0.55} ${corner} ${cornerY}` +
      `C ${corner * 0.5} ${top} ${-corner * 0.5} ${top} ${-corner} ${cornerY} Z`,
  );
  brush.fillStyle = vertical(
    brush,
    [bottom - 2, full],
    [
      [0, look.lips.upper],
      [0.35, look.lips.lower],
      [1, look.lips.upper],
    ],
  );
  brush.fill(lower);
  inside(brush, lower, () => glow(brush, [-1, bottom + lowerLip * 0.5, corner * 0.42, lowerLip * 0.3], look.lips.shine));
  brush.fillStyle = look.lips.upper;
  brush.fill(upper);
}

/** Dark, so that how far a mouth is open can be measured in the picture: nothing else near it has a luma below 60. */
function paintInterior(brush: Brush, edges: Edges, lips: Lips): void {
  const { corner, top, bottom } = edges;
  const open = bottom - top;
  brush.fillStyle = vertical(
    brush,
    [top, bottom],
    [
      [0, '#2c070d'],
      [1, '#511019'],
    ],
  );
  brush.fillRect(-corner, top - 8, 2 * corner, open + 20);
  const tongueTop = bottom - open * (0.18 + 0.5 * lips.tongue) * (1 - lips.pucker * 0.5);
  brush.fillStyle = vertical(
    brush,
    [tongueTop, bottom + 4],
    [
      [0, '#d9787a'],
      [1, '#a94a52'],
    ],
  );
  ellipse(brush, [0, bottom + 3, corner * 0.62, bottom + 3 - tongueTop]);
  paintTeeth(brush, edges, lips);
  if (lips.tip > 0.05) {
    brush.globalAlpha = Math.min(1, lips.tip * 1.5);
    brush.fillStyle = '#dd8082';
    ellipse(brush, [0, bottom, corner * 0.45, open * 0.75 * lips.tip]);
    brush.globalAlpha = 1;
  }
}

function paintTeeth(brush: Brush, { corner, cornerY, top, bottom }: Edges, { gap, tuck, upperTeeth, lowerTeeth }: Lips): void {
  const upper = Math.min(8, gap * 0.5 + tuck * 4) * upperTeeth;
  const wide = corner * 0.8;
  brush.fillStyle = '#f7f1ea';
  if (upper > 0.4) {
    const hem = top + upper + 1;
    brush.fill(
      path(
        `M ${-wide} ${cornerY - 10} L ${wide} ${cornerY - 10} L ${wide} ${top} Q ${wide * 0.7} ${hem} 0 ${hem} Q ${-wide * 0.7} ${hem} ${-wide} ${top} Z`,
      ),
    );
  }
  const lower = Math.min(6, gap * 0.42) * lowerTeeth;
  if (lower > 0.4) {
    brush.fillStyle = '#ebe2da';
    ellipse(brush, [0, bottom + 2, wide * 0.8, lower + 2]);
  }
}

/** The line where closed lips meet, and the corners of open ones. */
function paintSeam(brush: Brush, { corner, cornerY }: Edges, { lips, look }: { readonly lips: Lips; readonly look: Look }): void {
  brush.strokeStyle = look.lips.line;
  brush.lineCap = 'round';
  const closed = Math.max(0, 1 - lips.gap / 4);
  brush.globalAlpha = closed;
  brush.lineWidth = 2.2 - lips.press * 0.6;
  brush.stroke(
    path(
      `M ${-corner} ${cornerY} C ${-corner * 0.5} ${cornerY * 0.1 + 0.8} ${-corner * 0.2} 1.2 0 0.6 C ${corner * 0.2} 1.2 ${corner * 0.5} ${cornerY * 0.1 + 0.8} ${corner} ${cornerY}`,
    ),
  );
  brush.globalAlpha = 0.7 * (1 - lips.pucker);
  brush.lineWidth = 2;
  brush.stroke(path(`M ${-corner - 2} ${cornerY - 1.6} Q ${-corner + 0.5} ${cornerY} ${-corner + 3} ${cornerY + 0.8}`));
  brush.stroke(path(`M ${corner + 2} ${cornerY - 1.6} Q ${corner - 0.5} ${cornerY} ${corner - 3} ${cornerY + 0.8}`));
  brush.globalAlpha = 1;
}

function ellipse(brush: Brush, [x, y, radiusX, radiusY]: readonly [number, number, number, number]): void {
  brush.beginPath();
  brush.ellipse(x, y, Math.max(0, radiusX), Math.max(0, radiusY), 0, 0, 2 * Math.PI);
  brush.fill();
}
