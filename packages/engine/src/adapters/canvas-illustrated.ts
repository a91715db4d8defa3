import { type Canvas, createCanvas } from '@napi-rs/canvas';
import { type Box, writeRgba } from '../avatar/i420.ts';
import { idleFrames, type Pose, poseAt } from '../avatar/idle-motion.ts';
import { type Lips, lipsFor } from '../avatar/lips.ts';
import { restMouth } from '../avatar/mouth.ts';
import type { MouthShape, Renderer } from '../media/ports.ts';
import type { Character } from '../media/protocol.ts';
import { ada } from './illustrated/ada.ts';
import { type Brush, closeUp, layer, middle, place, size } from './illustrated/brush.ts';
import { paintEyes } from './illustrated/eyes.ts';
import { paintFeatures, paintSkin } from './illustrated/head.ts';
import type { Look } from './illustrated/look.ts';
import { paintMouth } from './illustrated/mouth.ts';
import { xiaolan } from './illustrated/xiaolan.ts';

const looks: Readonly<Record<Character, Look>> = { ada, xiaolan };

/** All that a moving mouth and jaw can change, in every pose. */
const jawBox: Box = { x: 164, y: 282, width: 184, height: 110 };
const whole: Box = { x: 0, y: 0, width: size, height: size };
const pictureBytes = (size * size * 3) / 2;
/** The head turns about the nape, px. */
const napeY = 380;

/**
 * A tutor drawn for this project. Pictures at rest are drawn when first asked for and kept; while the tutor speaks, only
 * the part around the mouth is drawn again, by the same brush strokes, so that there is no seam.
 */
export function createIllustrated(character: Character): Renderer {
  const tutor = new Tutor(looks[character]);
  return { width: size, height: size, idleFrames, render: (position, mouth) => tutor.render(position, mouth) };
}

class Tutor {
  readonly #look: Look;
  readonly #layers: {
    readonly background: Canvas;
    readonly behind: Canvas;
    readonly body: Canvas;
    readonly features: Canvas;
    readonly front: Canvas;
  };
  readonly #whole = sheet(whole);
  /** Reading pixels back costs the whole canvas, so the mouth has a small one. */
  readonly #jaw = sheet(jawBox);
  readonly #atRest = new PicturesAtRest();
  readonly #speaking = new Uint8Array(pictureBytes);

  constructor(look: Look) {
    this.#look = look;
    const tutorLayer = (paint: (brush: Brush) => void) =>
      layer((brush) => {
        closeUp(brush);
        paint(brush);
      });
    this.#layers = {
      background: layer((brush) => look.paintBackground(brush)),
      behind: tutorLayer((brush) => look.paintBehind(brush)),
      body: tutorLayer((brush) => look.paintBody(brush)),
      features: tutorLayer((brush) => paintFeatures(brush, look)),
      front: tutorLayer((brush) => look.paintFront(brush)),
    };
  }

  render(position: number, mouth: MouthShape): Uint8Array {
    const frame = position % idleFrames;
    const atRest = this.#atRest.of(frame, (empty) => this.#draw(this.#whole, { frame, mouth: restMouth, into: empty }));
    if (mouth.sil > 0.999) return atRest;
    this.#speaking.set(atRest);
    this.#draw(this.#jaw, { frame, mouth, into: this.#speaking });
    return this.#speaking;
  }

  #draw({ brush, box }: Sheet, { frame, mouth, into }: Drawing): void {
    brush.save();
    brush.translate(-box.x, -box.y);
    this.#paint(brush, { pose: poseAt(frame), lips: lipsFor(mouth), withEyes: box === whole });
    brush.restore();
    const { data } = brush.getImageData(0, 0, box.width, box.height);
    writeRgba({ data: into, width: size, height: size }, box, data);
  }

  #paint(brush: Brush, { pose, lips, withEyes }: Expression): void {
    const look = this.#look;
    const moveHead = () => {
      brush.translate(middle + pose.headX, napeY + pose.headY - pose.breath * 0.7);
      brush.rotate(pose.tilt);
      brush.translate(-middle, -napeY);
    };
    const near = (paint: () => void) => {
      brush.save();
      closeUp(brush);
      paint();
      brush.restore();
    };
    place(brush, this.#layers.background);
    brush.save();
    moveHead();
    place(brush, this.#layers.behind);
    brush.restore();
    place(brush, this.#layers.body, [pose.headX * 0.12, -pose.breath]);
    moveHead();
    near(() => paintSkin(brush, lips, look));
    place(brush, this.#layers.features);
    near(() => paintMouth(brush, lips, look));
    if (withEyes) near(() => paintEyes(brush, pose, look));
    place(brush, this.#layers.front);
  }
}

interface Expression {
  readonly pose: Pose;
  readonly lips: Lips;
  readonly withEyes: boolean;
}

/** A canvas for one part of the picture. */
interface Sheet {
  readonly box: Box;
  readonly brush: Brush;
}

function sheet(box: Box): Sheet {
  return { box, brush: createCanvas(box.width, box.height).getContext('2d') };
}

interface Drawing {
  /** Of the idle loop. */
  readonly frame: number;
  readonly mouth: MouthShape;
  readonly into: Uint8Array;
}

/** One picture for each pose of the loop, in one piece of memory, so that short-lived ones leave no holes between them. */
class PicturesAtRest {
  readonly #drawn = new Set<number>();
  readonly #slots: readonly number[];
  readonly #pictures: Uint8Array;

  constructor() {
    const slots: number[] = [];
    for (let frame = 0; frame < idleFrames; frame += 1) {
      const before = slots.at(-1) ?? -1;
      slots.push(frame > 0 && samePose(poseAt(frame), poseAt(frame - 1)) ? before : before + 1);
    }
    this.#slots = slots;
    this.#pictures = new Uint8Array(((slots.at(-1) ?? 0) + 1) * pictureBytes);
  }

  of(frame: number, draw: (empty: Uint8Array) => void): Uint8Array {
    const slot = this.#slots[frame] ?? 0;
    const picture = this.#pictures.subarray(slot * pictureBytes, (slot + 1) * pictureBytes);
    if (!this.#drawn.has(slot)) draw(picture);
    this.#drawn.add(slot);
    return picture;
  }
}

function samePose(a: Pose, b: Pose): boolean {
  return (
    a.headX === b.headX &&
    a.headY === b.headY &&
    a.tilt === b.tilt &&
    a.breath === b.breath &&
    a.gazeX === b.gazeX &&
    a.gazeY === b.gazeY &&
    a.lids === b.lids
  );
}
