import { type Canvas, createCanvas, Path2D, type SKRSContext2D } from '@napi-rs/canvas';

/** What is drawn with. Coordinates are px of a 512 px picture. */
export type Brush = SKRSContext2D;

/** Side of every picture, px. */
export const size = 512;
/** The axis of the face, px. */
export const middle = size / 2;

type Gradient = ReturnType<Brush['createLinearGradient']>;

export type Stops = readonly (readonly [at: number, color: string])[];

/** Brings the tutor, who is drawn smaller, to the size seen. The background stays. */
export function closeUp(brush: Brush): void {
  brush.translate(middle, 262);
  brush.scale(1.16, 1.16);
  brush.translate(-middle, -262);
}

/** What a layer holds beyond the picture's edges, so that none shows when it moves, px. */
const margin = 16;

/** Something drawn once and then only moved. */
export function layer(paint: (brush: Brush) => void): Canvas {
  const canvas = createCanvas(size + 2 * margin, size + 2 * margin);
  const brush = canvas.getContext('2d');
  brush.translate(margin, margin);
  paint(brush);
  return canvas;
}

/** Draws a layer where it belongs, moved by so much. */
export function place(brush: Brush, canvas: Canvas, [dx, dy]: readonly [number, number] = [0, 0]): void {
  brush.drawImage(canvas, dx - margin, dy - margin);
}

export function path(svg: string): Path2D {
  return new Path2D(svg);
}

/** Draws, then draws the mirror image about the face's axis. */
export function bothSides(brush: Brush, paint: () => void): void {
  paint();
  brush.save();
  brush.translate(size, 0);
  brush.scale(-1, 1);
  paint();
  brush.restore();
}

/** Draws inside `outline` only. */
export function inside(brush: Brush, outline: Path2D, paint: () => void): void {
  brush.save();
  brush.clip(outline);
  paint();
  brush.restore();
}

/** Draws out of focus, `radius` px. All that `paint` draws is blurred at once: stroke by stroke would cost 100 MB. */
export function blurred(brush: Brush, radius: number, paint: (sharp: Brush) => void): void {
  const { width, height } = brush.canvas;
  const canvas = createCanvas(width, height);
  const sharp = canvas.getContext('2d');
  sharp.setTransform(brush.getTransform());
  paint(sharp);
  brush.save();
  brush.resetTransform();
  brush.filter = `blur(${radius}px)`;
  brush.drawImage(canvas, 0, 0);
  brush.restore();
}

export function vertical(brush: Brush, [from, to]: readonly [number, number], stops: Stops): Gradient {
  const gradient = brush.createLinearGradient(0, from, 0, to);
  for (const [at, color] of stops) gradient.addColorStop(at, color);
  return gradient;
}

/** `[x, y, radius]`. */
export function radial(brush: Brush, [x, y, radius]: readonly [number, number, number], stops: Stops): Gradient {
  const gradient = brush.createRadialGradient(x, y, 0, x, y, radius);
  for (const [at, color] of stops) gradient.addColorStop(at, color);
  return gradient;
}

/** A soft spot of one colour that fades to nothing. `[x, y, radiusX, radiusY]`. */
export function glow(brush: Brush, [x, y, radiusX, radiusY]: readonly [number, number, number, number], color: string): void {
  brush.save();
  brush.translate(x, y);
  brush.scale(1, radiusY / radiusX);
  brush.fillStyle = radial(
    brush,
    [0, 0, radiusX],
    [
      [0, color],
      [1, transparent(color)],
    ],
  );
  brush.beginPath();
  brush.arc(0, 0, radiusX, 0, 2 * Math.PI);
  brush.fill();
  brush.restore();
}

/** The same colour, `#rrggbb` or `#rrggbbaa`, fully transparent. */
function transparent(color: string): string {
  return `${color.slice(0, 7)}00`;
}
