import type { Pose } from '../../avatar/idle-motion.ts';
import { type Brush, inside, path, radial, size, vertical } from './brush.ts';
import type { Look } from './look.ts';

/** Middle of the left eye, px; the right one mirrors it. */
const eyeX = 219;
const eyeY = 226;
const halfWidth = 20;
const irisRadius = 11.5;

export function paintEyes(brush: Brush, pose: Pose, look: Look): void {
  paintEye(brush, { pose, look, mirrored: 1 });
  brush.save();
  brush.translate(size, 0);
  brush.scale(-1, 1);
  paintEye(brush, { pose, look, mirrored: -1 });
  brush.restore();
}

interface Eye {
  readonly pose: Pose;
  readonly look: Look;
  /** -1: drawn in a mirror, so that what is the same for both eyes must be turned round. */
  readonly mirrored: 1 | -1;
}

function paintEye(brush: Brush, eye: Eye): void {
  brush.save();
  brush.translate(eyeX, eyeY);
  const { lids } = eye.pose;
  // The upper lid comes down to where the lower one is.
  const upper = -15.5 + lids * 21.5;
  const outer = -eye.look.eyeTilt;
  const upperLid = `C ${-halfWidth * 0.62} ${upper + outer * 0.6} ${halfWidth * 0.45} ${upper - 0.5} ${halfWidth} 2.5`;
  const open = path(`M ${-halfWidth} ${outer} ${upperLid} C ${halfWidth * 0.4} 10.5 ${-halfWidth * 0.55} 10 ${-halfWidth} ${outer} Z`);
  if (lids < 0.95) {
    brush.fillStyle = vertical(
      brush,
      [-12, 9],
      [
        [0, '#d9d0cd'],
        [0.45, '#fdfaf7'],
        [1, '#efe8e4'],
      ],
    );
    brush.fill(open);
    inside(brush, open, () => paintIris(brush, eye));
  }
  paintLashes(brush, eye.look, { lids, outer, upperLid });
  brush.restore();
}

function paintIris(brush: Brush, { pose, look, mirrored }: Eye): void {
  const x = pose.gazeX * 5 * mirrored;
  const y = pose.gazeY * 3 - 1;
  const disc = (radius: number, dx = 0, dy = 0) => {
    brush.beginPath();
    brush.arc(x + dx, y + dy, radius, 0, 2 * Math.PI);
    brush.fill();
  };
  brush.fillStyle = look.iris.dark;
  disc(irisRadius);
  brush.fillStyle = radial(
    brush,
    [x, y + 5, irisRadius * 1.1],
    [
      [0, look.iris.light],
      [1, look.iris.dark],
    ],
  );
  disc(irisRadius - 1.4);
  brush.fillStyle = '#15100e';
  disc(5.2);
  brush.fillStyle = '#ffffff';
  disc(3.1, -3.6 * mirrored, -4.2);
  brush.globalAlpha = 0.55;
  disc(1.7, 4 * mirrored, 4.2);
  brush.globalAlpha = 1;
  // The upper lid's shadow.
  brush.fillStyle = vertical(
    brush,
    [-14, -3],
    [
      [0, '#2b1a1699'],
      [1, '#2b1a1600'],
    ],
  );
  brush.fillRect(-halfWidth, -16, 2 * halfWidth, 14);
}

function paintLashes(
  brush: Brush,
  look: Look,
  { lids, outer, upperLid }: { readonly lids: number; readonly outer: number; readonly upperLid: string },
): void {
  brush.strokeStyle = look.lash;
  brush.lineCap = 'round';
  brush.lineWidth = 3.4;
  brush.stroke(path(`M ${-halfWidth - 3} ${outer - 2.5} L ${-halfWidth} ${outer} ${upperLid}`));
  brush.lineWidth = 1.6;
  brush.globalAlpha = 0.35;
  brush.stroke(path(`M ${-halfWidth + 3} ${outer + 2.5} C ${-halfWidth * 0.5} 10.5 ${halfWidth * 0.4} 10.5 ${halfWidth - 2} 4`));
  brush.globalAlpha = 0.4;
  const crease = -20.5 + lids * 6;
  brush.stroke(
    path(
      `M ${-halfWidth - 1} ${outer - 7} C ${-halfWidth * 0.55} ${crease + outer * 0.6} ${halfWidth * 0.4} ${crease} ${halfWidth - 2} -5`,
    ),
  );
  brush.globalAlpha = 1;
}
