import type { Lips } from '../../avatar/lips.ts';
import { type Brush, blurred, bothSides, glow, inside, middle, path, radial } from './brush.ts';
import type { Look } from './look.ts';

/** The skin of the face, chin as low as the jaw is. */
export function paintSkin(brush: Brush, lips: Lips, look: Look): void {
  const { light, base, shade } = look.skin;
  const outline = path(look.face(lips.jaw));
  brush.fillStyle = radial(
    brush,
    [middle - 14, 216, 190],
    [
      [0, light],
      [0.5, base],
      [0.86, shade],
      [1, look.skin.deep],
    ],
  );
  brush.fill(outline);
}

/** Everything of the face that never changes, drawn once: shadows, nose, blush, brows. Clipped to the skin. */
export function paintFeatures(brush: Brush, look: Look): void {
  inside(brush, path(look.face(0)), () => {
    blurred(brush, 14, (sharp) => {
      sharp.fillStyle = `${look.skin.deep}66`;
      sharp.fill(path('M 352 120 C 352 220 346 290 300 352 L 380 360 L 380 120 Z'));
      sharp.fillStyle = `${look.skin.deep}73`;
      sharp.fill(path('M 160 60 L 352 60 L 352 150 C 300 120 212 120 160 150 Z'));
    });
    bothSides(brush, () => glow(brush, [206, 270, 34, 22], `${look.skin.blush}66`));
    bothSides(brush, () => glow(brush, [219, 222, 34, 24], `${look.skin.deep}33`));
    glow(brush, [middle - 6, 170, 52, 26], '#ffffff26');
  });
  paintNose(brush, look);
  paintBrows(brush, look);
}

function paintNose(brush: Brush, look: Look): void {
  blurred(brush, 3, (sharp) => {
    sharp.fillStyle = `${look.skin.deep}73`;
    sharp.fill(path('M 262 226 C 264 244 274 258 274 268 C 270 278 258 280 256 280 C 262 268 258 246 262 226 Z'));
    sharp.fillStyle = `${look.skin.deep}99`;
    sharp.fill(path('M 240 274 Q 256 286 272 274 Q 256 279 240 274 Z'));
  });
  glow(brush, [253, 262, 7, 8], '#ffffff59');
  glow(brush, [253, 240, 4, 18], '#ffffff33');
  brush.fillStyle = look.skin.deep;
  bothSides(brush, () => {
    brush.beginPath();
    brush.ellipse(248.5, 275, 4.2, 2.1, 0.25, 0, 2 * Math.PI);
    brush.fill();
  });
  brush.strokeStyle = `${look.skin.deep}8c`;
  brush.lineWidth = 2;
  brush.lineCap = 'round';
  bothSides(brush, () => brush.stroke(path('M 240 264 Q 236 271 240.5 275')));
}

function paintBrows(brush: Brush, look: Look): void {
  bothSides(brush, () => {
    brush.fillStyle = look.brow;
    brush.fill(path(look.browPath));
  });
}
