import type { WriteStream } from 'node:tty';

/** One line that is written over on a terminal; elsewhere, such as in a log file, nothing: the result is told there. */
export class ProgressLine {
  readonly #out: Pick<WriteStream, 'isTTY' | 'write'>;
  #shown = '';

  constructor(out: Pick<WriteStream, 'isTTY' | 'write'>) {
    this.#out = out;
  }

  show(text: string): void {
    if (!this.#out.isTTY || text === this.#shown) return;
    this.#out.write(`\r${text.padEnd(this.#shown.length)}`);
    this.#shown = text;
  }

  end(): void {
    if (this.#shown !== '') this.#out.write('\n');
    this.#shown = '';
  }
}
