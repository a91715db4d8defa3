import { type Brush, blurred, bothSides, glow, inside, middle, path, size, vertical } from './brush.ts';
import type { Look } from './look.ts';

const hair = { dark: '#2e1a14', base: '#4a2b1f', light: '#7d4c33' } as const;
const skin = { light: '#f0bd93', base: '#e2a578', shade: '#cd8a5e', deep: '#a5623f', blush: '#d8674c' } as const;

/** Curls, green jacket, round spectacles, a study in the evening. */
export const ada: Look = {
  skin,
  lips: { upper: '#b9564f', lower: '#cf6f66', shine: '#ffffff4d', line: '#84352f' },
  iris: { dark: '#3f2413', light: '#9a6233' },
  lash: '#24130d',
  brow: '#3a2017',
  browPath: 'M 190 206 C 200 194 222 189 243 197 C 245 198 245 203 243 203 C 224 198 204 200 192 209 C 190 210 189 208 190 206 Z',
  eyeTilt: 1,
  face: (jaw) =>
    `M 175 190 C 175 118 212 90 256 90 C 300 90 337 118 337 190 C 338 228 335 260 325 288 ` +
    `C 315 ${320 + jaw * 0.5} 286 ${352 + jaw} 256 ${353 + jaw} C 226 ${352 + jaw} 197 ${320 + jaw * 0.5} 187 288 C 177 260 174 228 175 190 Z`,
  paintBackground,
  paintBehind,
  paintBody,
  paintFront,
};

function paintBackground(brush: Brush): void {
  brush.fillStyle = vertical(
    brush,
    [0, size],
    [
      [0, '#3f4f58'],
      [0.6, '#55656a'],
      [1, '#4a5557'],
    ],
  );
  brush.fillRect(0, 0, size, size);
  blurred(brush, 9, (sharp) => {
    for (const [shelf, y] of [40, 150, 262, 372].entries()) {
      sharp.fillStyle = '#6d5443';
      sharp.fillRect(-20, y + 84, 560, 12);
      paintBooks(sharp, { y, shelf });
    }
  });
  glow(brush, [430, 120, 240, 240], '#ffd9a159');
  glow(brush, [60, 420, 260, 220], '#22303973');
  glow(brush, [256, 210, 330, 330], '#ffe7c42e');
}

function paintBooks(brush: Brush, { y, shelf }: { readonly y: number; readonly shelf: number }): void {
  const colors = ['#8a4b3d', '#c08a4e', '#3f6a66', '#d8c39a', '#5a6d86', '#9c6b52', '#45525e'] as const;
  let x = -10 + shelf * 7;
  for (let book = 0; book < 22; book += 1) {
    const width = 16 + ((book * 7 + shelf * 5) % 13);
    const height = 58 + ((book * 11 + shelf * 3) % 24);
    brush.fillStyle = colors[(book * 3 + shelf * 2) % colors.length] ?? colors[0];
    brush.fillRect(x, y + 84 - height, width, height);
    x += width + ((book + shelf) % 6 === 0 ? 22 : 2);
  }
}

/** A head of curls: one soft mass, and rings of light and shade on it. */
function paintBehind(brush: Brush): void {
  const mass = path(
    'M 256 72 C 320 66 372 106 380 172 C 402 208 400 262 386 292 C 388 336 362 372 326 376 L 186 376 C 150 372 124 336 126 292 C 112 262 110 208 132 172 C 140 106 192 66 256 72 Z',
  );
  brush.fillStyle = vertical(
    brush,
    [60, 390],
    [
      [0, hair.base],
      [1, hair.dark],
    ],
  );
  brush.fill(mass);
  for (const [radiusX, radiusY, count] of [
    [98, 128, 25],
    [140, 142, 25],
    [118, 134, 21],
  ] as const) {
    for (const { x, y } of around({ radiusX, radiusY, reach: 2.68, count })) curl(brush, { x, y: y + 6, radius: 24, turn: x + y });
  }
}

interface Arc {
  readonly radiusX: number;
  readonly radiusY: number;
  /** To each side of the crown of the head, rad. */
  readonly reach: number;
  readonly count: number;
}

/** Points along an arc around the face, a little out of line. */
function around({ radiusX, radiusY, reach, count }: Arc): { readonly x: number; readonly y: number }[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = reach * ((2 * i) / (count - 1) - 1);
    const away = 1 + 0.05 * Math.sin(i * 5.3 + radiusX);
    const longer = Math.cos(angle) < 0 ? 1.12 : 1;
    return { x: middle + Math.sin(angle) * radiusX * away, y: 216 - Math.cos(angle) * radiusY * away * longer };
  });
}

interface Curl {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Where its light falls, rad. */
  readonly turn: number;
}

function curl(brush: Brush, { x, y, radius, turn }: Curl): void {
  brush.fillStyle = hair.base;
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
  brush.fill();
  brush.lineCap = 'round';
  const arcs = [
    [hair.dark, radius * 0.95, 5, 0.9, 2.7],
    [hair.dark, radius * 0.45, 4, 3.6, 5.6],
    [hair.light, radius * 0.7, 3.2, -0.9, 0.7],
    [hair.light, radius * 0.3, 2.2, -0.5, 1.4],
  ] as const;
  for (const [color, at, width, from, to] of arcs) {
    brush.strokeStyle = color;
    brush.globalAlpha = color === hair.light ? 0.55 : 0.75;
    brush.lineWidth = width;
    brush.beginPath();
    brush.arc(x, y, at, turn + from, turn + to);
    brush.stroke();
  }
  brush.globalAlpha = 1;
}

function paintBody(brush: Brush): void {
  paintNeck(brush);
  const blouse = path('M 186 404 C 210 424 302 424 326 404 L 352 512 L 160 512 Z');
  brush.fillStyle = vertical(
    brush,
    [400, 512],
    [
      [0, '#fbf3e4'],
      [1, '#e6d6bd'],
    ],
  );
  brush.fill(blouse);
  brush.fillStyle = skin.shade;
  brush.fill(path('M 208 394 C 226 424 250 448 256 456 C 262 448 286 424 304 394 Z'));
  const shoulder = path('M 40 512 C 46 452 92 426 150 412 C 176 404 194 396 204 388 C 206 424 232 480 250 512 Z');
  bothSides(brush, () => {
    brush.fillStyle = vertical(
      brush,
      [390, 512],
      [
        [0, '#2f7f78'],
        [1, '#1d5a57'],
      ],
    );
    brush.fill(shoulder);
    inside(brush, shoulder, () => {
      glow(brush, [120, 430, 80, 40], '#7fd0c433');
      glow(brush, [60, 512, 80, 70], '#0b2f2e80');
    });
    brush.fillStyle = '#27706a';
    brush.fill(path('M 200 388 C 186 402 180 420 184 436 L 204 446 L 196 458 L 246 512 C 232 480 206 424 204 388 Z'));
    brush.strokeStyle = '#164a47';
    brush.lineWidth = 2;
    brush.stroke(path('M 184 436 L 204 446 L 196 458 L 244 510'));
    brush.stroke(path('M 112 452 C 116 476 116 496 114 512'));
  });
}

function paintNeck(brush: Brush): void {
  const neck = path('M 214 316 C 216 360 214 382 196 398 C 214 440 298 440 316 398 C 298 382 296 360 298 316 Z');
  brush.fillStyle = skin.shade;
  brush.fill(neck);
  inside(brush, neck, () => {
    blurred(brush, 8, (sharp) => {
      sharp.fillStyle = `${skin.deep}cc`;
      sharp.fill(path('M 190 300 L 322 300 C 318 350 296 376 262 380 C 226 378 200 350 190 300 Z'));
    });
  });
}

function paintFront(brush: Brush): void {
  const crown = path(
    'M 164 226 C 146 150 178 82 256 78 C 334 82 366 150 348 226 C 344 190 338 168 322 148 C 304 130 284 124 256 124 C 228 124 208 130 190 148 C 174 168 168 190 164 226 Z',
  );
  brush.fillStyle = hair.base;
  brush.fill(crown);
  for (const { x, y } of around({ radiusX: 112, radiusY: 122, reach: 1.3, count: 15 })) curl(brush, { x, y, radius: 21, turn: x });
  for (const { x, y } of around({ radiusX: 94, radiusY: 100, reach: 1.72, count: 18 })) curl(brush, { x, y: y + 4, radius: 17, turn: y });
  paintSpectacles(brush);
}

function paintSpectacles(brush: Brush): void {
  bothSides(brush, () => {
    brush.fillStyle = '#ffffff14';
    brush.beginPath();
    brush.ellipse(218, 228, 31, 29, 0, 0, 2 * Math.PI);
    brush.fill();
    brush.strokeStyle = '#6a4423';
    brush.lineWidth = 3.6;
    brush.stroke();
    brush.strokeStyle = '#e2b266';
    brush.lineWidth = 1.8;
    brush.stroke();
    brush.strokeStyle = '#6a4423';
    brush.lineWidth = 3;
    brush.stroke(path('M 187 224 L 172 218'));
  });
  brush.strokeStyle = '#8a5c2f';
  brush.lineWidth = 3.4;
  brush.stroke(path('M 249 225 C 252 220 260 220 263 225'));
}
