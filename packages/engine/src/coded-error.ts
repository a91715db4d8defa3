/** A class of errors: the code says what is wrong, and the message is its sentence. */
export function codedError<Code extends string>(name: string, sentences: Readonly<Record<Code, string>>) {
  return class extends Error {
    override readonly name = name;
    readonly code: Code;
    constructor(code: Code, options?: ErrorOptions) {
      super(sentences[code], options);
      this.code = code;
    }
  };
}
