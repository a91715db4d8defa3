import { type Brush, blurred, bothSides, glow, inside, path, size, vertical } from './brush.ts';
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
  blurred(brush, 9, () => {
    for (const [shelf, y] of [40, 150, 262, 372].entries()) {
      brush.fillStyle = '#6d5443';
      brush.fillRect(-20, y + 84, 560, 12);
      paintBooks(brush, { y, shelf });
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

/** A head of curls: one big soft mass, and rings of light and shade on it. */
function paintBehind(brush: Brush): void {
  const mass = path(
    'M 256 44 C 330 36 392 84 396 160 C 424 206 420 266 404 300 C 412 350 376 398 330 396 L 182 396 C 136 398 100 350 108 300 C 92 266 88 206 116 160 C 120 84 182 36 256 44 Z',
  );
  brush.fillStyle = vertical(
    brush,
    [40, 400],
    [
      [0, hair.base],
      [1, hair.dark],
    ],
  );
  brush.fill(mass);
  const rings = 15;
  for (let ring = 0; ring < 3; ring += 1) {
    for (let i = 0; i <= rings; i += 1) {
      const angle = Math.PI * (0.82 + (1.36 * i) / rings) + ring * 0.05;
      const reach = 1 - ring * 0.16;
      curl(brush, { x: 256 + Math.cos(angle) * 148 * reach, y: 206 + Math.sin(angle) * 156 * reach, radius: 25 - ring * 2, turn: angle });
    }
  }
  for (const [x, y] of [
    [122, 250],
    [116, 290],
    [126, 330],
    [146, 364],
    [178, 380],
    [148, 300],
    [152, 250],
    [160, 338],
  ] as const) {
    curl(brush, { x, y, radius: 24, turn: 2.6 });
    curl(brush, { x: size - x, y, radius: 24, turn: 0.5 });
  }
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
    blurred(brush, 8, () => {
      brush.fillStyle = `${skin.deep}cc`;
      brush.fill(path('M 190 300 L 322 300 C 318 350 296 376 262 380 C 226 378 200 350 190 300 Z'));
    });
  });
}

function paintFront(brush: Brush): void {
  const crown = path(
    'M 160 214 C 150 150 176 74 256 66 C 336 74 362 150 352 214 C 346 190 340 172 328 156 C 310 166 286 150 272 132 C 246 160 206 164 186 156 C 172 172 166 190 160 214 Z',
  );
  brush.fillStyle = hair.base;
  brush.fill(crown);
  const locks = [
    [166, 192, 17],
    [162, 222, 15],
    [160, 250, 14],
    [176, 164, 19],
    [194, 142, 20],
    [220, 128, 21],
    [246, 116, 21],
    [180, 112, 22],
    [212, 92, 22],
    [252, 82, 22],
    [294, 92, 22],
    [330, 116, 22],
    [278, 116, 20],
    [302, 132, 20],
    [324, 150, 19],
    [342, 176, 18],
    [348, 204, 16],
    [352, 232, 15],
    [350, 258, 13],
  ] as const;
  for (const [x, y, radius] of locks) curl(brush, { x, y, radius, turn: Math.atan2(y - 230, x - 256) });
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
