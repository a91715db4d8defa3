/**
 * Joins what a model says after a prefix to that prefix. Models see the prefix without its trailing
 * white space (they continue badly after a space), so they often begin with one; and some start
 * over instead of going on: what they repeat is dropped.
 */
export class Continuation {
  readonly #prefix: string;
  readonly #repeatable: string;
  #held = '';
  #joined: boolean;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#repeatable = prefix.trimEnd();
    this.#joined = prefix === '';
  }

  /** The text that can be passed on by now; '' while it may still be a repetition. */
  add(text: string): string {
    if (this.#joined) return text;
    this.#held += text;
    const said = this.#held.trimStart();
    if (said.length < this.#repeatable.length && this.#repeatable.startsWith(said)) return '';
    return this.#join();
  }

  /** The rest, once the model has ended. */
  end(): string {
    return this.#joined ? '' : this.#join();
  }

  #join(): string {
    const said = this.#held.trimStart();
    const rest = said.startsWith(this.#repeatable) ? said.slice(this.#repeatable.length) : this.#held;
    const text = /\s$/u.test(this.#prefix) ? rest.trimStart() : rest;
    this.#joined = text !== '';
    if (this.#joined) this.#held = '';
    return text;
  }
}
