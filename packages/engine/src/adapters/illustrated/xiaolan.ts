import { type Brush, blurred, bothSides, glow, inside, path, size, vertical } from './brush.ts';
import type { Look } from './look.ts';

const hair = { dark: '#14131a', base: '#24222c', light: '#5b5a70' } as const;
const skin = { light: '#fde3cd', base: '#f8d2b8', shade: '#ecb798', deep: '#c98968', blush: '#f0827a' } as const;

/** Straight black hair, a plum jacket with a stand-up collar, a bright room with bamboo. */
export const xiaolan: Look = {
  skin,
  lips: { upper: '#c95a63', lower: '#de7880', shine: '#ffffff66', line: '#97404a' },
  iris: { dark: '#24140f', light: '#6e4529' },
  lash: '#1a1416',
  brow: '#2e262a',
  browPath: 'M 191 207 C 201 194 220 191 243 199 C 245 200 244 204 242 204 C 222 198 206 199 193 210 C 190 211 190 208 191 207 Z',
  eyeTilt: 3,
  face: (jaw) =>
    `M 178 190 C 178 120 214 92 256 92 C 298 92 334 120 334 190 C 335 226 332 256 322 284 ` +
    `C 310 ${318 + jaw * 0.5} 280 ${350 + jaw} 256 ${351 + jaw} C 232 ${350 + jaw} 202 ${318 + jaw * 0.5} 190 284 C 180 256 177 226 178 190 Z`,
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
      [0, '#f3ece0'],
      [1, '#dccfbe'],
    ],
  );
  brush.fillRect(0, 0, size, size);
  blurred(brush, 7, (sharp) => {
    sharp.fillStyle = '#dfe9df';
    sharp.beginPath();
    sharp.arc(356, 170, 150, 0, 2 * Math.PI);
    sharp.fill();
    sharp.strokeStyle = '#b08e6c';
    sharp.lineWidth = 14;
    sharp.stroke();
    sharp.strokeStyle = '#7fa07a';
    sharp.lineCap = 'round';
    for (const [x, lean, width] of [
      [392, 12, 8],
      [432, -6, 10],
      [466, 8, 7],
      [340, -10, 6],
    ] as const) {
      sharp.lineWidth = width;
      sharp.stroke(path(`M ${x} 312 Q ${x + lean} 180 ${x + lean * 2} 30`));
    }
    sharp.fillStyle = '#8db487';
    for (const [x, y, turn] of [
      [404, 96, 0.5],
      [430, 140, 2.4],
      [458, 90, 0.8],
      [380, 160, 2.7],
      [446, 210, 0.4],
      [476, 170, 2.2],
      [352, 110, 0.6],
    ] as const) {
      sharp.beginPath();
      sharp.ellipse(x, y, 30, 7, turn, 0, 2 * Math.PI);
      sharp.fill();
    }
    sharp.fillStyle = '#c9b59c';
    sharp.fillRect(0, 392, size, 16);
    sharp.fillStyle = '#cfc0ac';
    sharp.fillRect(28, 96, 96, 220);
    sharp.fillStyle = '#f6efe4';
    sharp.fillRect(40, 112, 72, 188);
    sharp.strokeStyle = '#5c5a58';
    sharp.lineWidth = 7;
    sharp.stroke(path('M 60 230 C 72 190 88 200 96 150 M 62 250 C 76 244 88 250 100 240'));
  });
  glow(brush, [120, 60, 300, 240], '#ffffff80');
  glow(brush, [256, 560, 360, 180], '#a98e7459');
}

function paintBehind(brush: Brush): void {
  const mass = path(
    'M 256 56 C 338 54 372 120 372 196 C 374 280 392 340 384 404 C 350 428 320 424 300 412 L 212 412 C 192 424 162 428 128 404 C 120 340 138 280 140 196 C 140 120 174 54 256 56 Z',
  );
  brush.fillStyle = vertical(
    brush,
    [60, 420],
    [
      [0, hair.base],
      [1, hair.dark],
    ],
  );
  brush.fill(mass);
  inside(brush, mass, () =>
    bothSides(brush, () =>
      strands(brush, ['M 150 180 C 144 270 132 330 138 410', 'M 162 200 C 158 290 146 350 152 416', 'M 176 260 C 172 320 164 370 168 418']),
    ),
  );
}

function strands(brush: Brush, lines: readonly string[]): void {
  brush.strokeStyle = hair.light;
  brush.lineCap = 'round';
  for (const line of lines) {
    brush.globalAlpha = 0.28;
    brush.lineWidth = 1.6;
    brush.stroke(path(line));
    brush.globalAlpha = 0.1;
    brush.lineWidth = 8;
    brush.stroke(path(line));
  }
  brush.globalAlpha = 1;
}

function paintBody(brush: Brush): void {
  paintNeck(brush);
  const jacket = path(
    'M 52 512 C 58 456 104 430 164 416 C 190 409 206 402 214 394 C 232 418 280 418 298 394 C 306 402 322 409 348 416 C 408 430 454 456 460 512 Z',
  );
  brush.fillStyle = vertical(
    brush,
    [396, 512],
    [
      [0, '#8a3f5c'],
      [1, '#652a44'],
    ],
  );
  brush.fill(jacket);
  inside(brush, jacket, () => {
    bothSides(brush, () => {
      glow(brush, [136, 440, 80, 36], '#e59ab03d');
      glow(brush, [66, 520, 70, 70], '#2f0f1f80');
      brush.strokeStyle = '#542038';
      brush.lineWidth = 2.5;
      brush.stroke(path('M 124 456 C 130 478 130 498 126 512'));
    });
  });
  paintCollar(brush);
}

function paintNeck(brush: Brush): void {
  const neck = path('M 218 316 C 220 362 218 384 206 402 C 224 430 288 430 306 402 C 294 384 292 362 294 316 Z');
  brush.fillStyle = skin.shade;
  brush.fill(neck);
  inside(brush, neck, () => {
    blurred(brush, 8, (sharp) => {
      sharp.fillStyle = `${skin.deep}b3`;
      sharp.fill(path('M 196 300 L 316 300 C 312 348 292 374 260 378 C 228 376 204 348 196 300 Z'));
    });
  });
}

/** A stand-up collar, open in front, with two knot buttons below. */
function paintCollar(brush: Brush): void {
  bothSides(brush, () => {
    brush.fillStyle = '#9c4c6a';
    brush.fill(path('M 206 378 C 198 386 194 398 196 410 C 214 428 238 440 255 446 L 255 428 C 236 418 218 404 206 378 Z'));
    brush.strokeStyle = '#e8b7a0';
    brush.lineWidth = 2.4;
    brush.stroke(path('M 206 379 C 218 405 236 418 255 428'));
  });
  brush.strokeStyle = '#542038';
  brush.lineWidth = 2.5;
  brush.stroke(path('M 256 446 L 256 512'));
  brush.lineCap = 'round';
  for (const y of [462, 494]) {
    brush.strokeStyle = '#e8b7a0';
    brush.lineWidth = 4;
    brush.stroke(path(`M 240 ${y} L 272 ${y}`));
    brush.fillStyle = '#f4cdb6';
    brush.beginPath();
    brush.arc(256, y, 5, 0, 2 * Math.PI);
    brush.fill();
  }
}

/** Parted a little to the side: a swept fringe, and long strands beside the face. */
function paintFront(brush: Brush): void {
  const right = path(
    'M 262 62 C 330 58 368 106 369 190 C 372 250 366 304 374 352 C 356 354 342 342 338 318 C 332 280 340 240 333 208 C 326 178 306 158 284 128 Z',
  );
  const left = path(
    'M 290 64 C 214 46 150 92 144 190 C 140 250 146 304 138 352 C 156 354 170 342 174 318 C 180 280 172 240 180 210 C 190 192 250 176 290 122 C 296 104 296 80 290 64 Z',
  );
  paintLock(brush, right, ['M 292 84 C 326 96 350 130 354 210 C 358 260 352 300 360 346', 'M 286 110 C 300 146 328 176 340 206']);
  paintLock(brush, left, [
    'M 280 76 C 220 80 172 126 162 210 C 156 260 160 300 152 346',
    'M 286 92 C 262 140 214 162 174 190',
    'M 270 70 C 200 72 158 126 150 196',
  ]);
  blurred(brush, 4, (sharp) => {
    sharp.strokeStyle = '#a3a2bd52';
    sharp.lineWidth = 11;
    sharp.lineCap = 'round';
    sharp.stroke(path('M 172 158 Q 194 122 240 110'));
    sharp.stroke(path('M 312 116 Q 334 130 346 160'));
  });
}

function paintLock(brush: Brush, lock: ReturnType<typeof path>, lines: readonly string[]): void {
  brush.fillStyle = vertical(
    brush,
    [60, 350],
    [
      [0, hair.base],
      [1, hair.dark],
    ],
  );
  brush.fill(lock);
  inside(brush, lock, () => strands(brush, lines));
}
